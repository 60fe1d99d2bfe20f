#pragma once

#include "core/dtype.h"
#include "core/export.h"
#include "core/scalar.h"

namespace espalier {

/// Writes `value` as an element of `dtype` at `to`. Throws ValueError where the type cannot hold it.
ESPALIER_API void write_element(void* to, Scalar value, Dtype dtype);

}  // namespace espalier
