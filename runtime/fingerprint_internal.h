#pragma once

#include <cstdint>

#include "runtime/graph.h"

namespace espalier::runtime {

/// As fingerprint(), of all but the elements of constants: equal for graphs that take as long.
uint64_t layout_fingerprint(const Graph& graph);

}  // namespace espalier::runtime
