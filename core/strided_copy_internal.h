#pragma once

#include <cstddef>

#include "core/dims.h"
#include "core/export.h"

namespace espalier {

/// Copies elements of `element` bytes (1, 2, 4 or 8) between two layouts of one shape; strides are in
/// elements. Uses the threads of parallel_for. The two must not overlap.
ESPALIER_API void copy_strided(void* to, const Strides& to_strides, const void* from,
                               const Strides& from_strides, const Shape& shape, size_t element);

}  // namespace espalier
