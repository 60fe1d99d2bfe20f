#pragma once

#include <string_view>

#include "core/operation.h"

namespace espalier {

/// `axes` made non-negative and sorted; all axes where none are named. Throws ShapeError for one out of range
/// or named twice.
Dims reduced_axes(std::string_view name, const Dims& axes, int rank);

/// The input's shape without `axes` (which reduced_axes made), or with size 1 in their place.
Shape reduced_shape(const Shape& shape, const Dims& axes, bool keepdim);

/// `reduced`, a reduction's output or gradient, with size 1 in place of the axes that are gone: it broadcasts
/// against the input.
Tensor with_kept_axes(const Tensor& reduced, const Shape& input, const Dims& axes);

/// The axes that stay shrink together.
std::vector<AxisTie> reduction_ties(const Tensor& input, const Dims& axes, bool keepdim);

}  // namespace espalier
