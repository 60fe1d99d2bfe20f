#pragma once

#include "core/tensor.h"

namespace espalier {

// Memory for the inside of a CPU kernel: nothing here goes through the door, so no listener hears of it.

/// `tensor` in row-major memory: itself, or a copy.
Tensor row_major(const Tensor& tensor);

/// `tensor`, of any type, as f32 in row-major memory: itself, or a copy.
Tensor row_major_f32(const Tensor& tensor);

/// Writes `from`, f32 in row-major memory, to `to` of the same shape, any layout and type.
void store_f32(const Tensor& from, const Tensor& to);

}  // namespace espalier
