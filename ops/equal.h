#pragma once

// equal() stands with the other comparisons.
#include "ops/compare.h"
