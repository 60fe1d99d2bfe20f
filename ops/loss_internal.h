#pragma once

#include <string_view>

#include "core/operation.h"

namespace espalier {

/// Throws TypeError unless `type` is one that losses and updates are computed for: f64, f32, f16 or bf16.
void check_loss_type(std::string_view name, Dtype type, Inputs inputs);

/// The indices, in the axes of `shape`, of element `index` in row-major order: for error messages.
Dims position_of(int64_t index, const Shape& shape);

}  // namespace espalier
