#pragma once

#include <string_view>
#include <vector>

#include "core/operation.h"

namespace espalier {

// What the fused operations (fused_conv2d, fused_linear) have in common: input 3, the residual, to which they
// add their result, in place; it may be absent.

/// The output of an operation that would put out `y` without a residual. Throws TypeError and ShapeError
/// unless a residual is of y's type, shape and strides; `memory` names those: "row-major".
OutputSpec with_residual(std::string_view name, Inputs inputs, const OutputSpec& y, std::string_view memory);

/// Adds what the residual and `activation` cost.
void add_residual_cost(Cost& cost, Inputs inputs, const OutputSpec& y, bool activation);

/// Ties the residual's axes to the output's.
void tie_residual(std::vector<AxisTie>& ties, Inputs inputs);

}  // namespace espalier
