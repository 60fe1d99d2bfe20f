#include "ops/reduction.h"

#include <algorithm>
#include <string>

#include "ops/reshape.h"

namespace espalier {
namespace {

bool contains(const Dims& axes, int axis) {
  return std::find(axes.begin(), axes.end(), axis) != axes.end();
}

/// `shape` without `axes`, or with size 1 in their place.
Shape reduced_shape(const Shape& shape, const Dims& axes, bool keepdim) {
  Shape result;
  for (int i = 0; i < shape.rank(); ++i) {
    if (!contains(axes, i))
      result.push_back(shape[i]);
    else if (keepdim)
      result.push_back(1);
  }
  return result;
}

}  // namespace

Dims Reduction::reduced_axes(int rank) const {
  Dims result;
  if (axes_.empty()) {
    for (int i = 0; i < rank; ++i) result.push_back(i);
    return result;
  }
  for (int64_t axis : axes_) {
    const int index = normalize_axis(axis, rank, name());
    if (contains(result, index)) {
      throw ShapeError(name(), "axis " + std::to_string(axis) + " is named twice in " + to_string(axes_));
    }
    result.push_back(index);
  }
  std::sort(result.begin(), result.end());
  return result;
}

void Reduction::check_reducible(Inputs inputs, bool floating) const {
  const Dtype dtype = inputs[0].dtype();
  if (dtype >= Dtype::u16)
    throw TypeError(name(), "input is " + describe(inputs) + "; u16, u32 and u64 only load and convert");
  if (floating && !is_floating(dtype))
    throw TypeError(name(), "input is " + describe(inputs) + "; expected a floating type: cast it first");
}

void Reduction::check_has_elements(const Tensor& input) const {
  for (int64_t axis : reduced_axes(input.rank())) {
    if (input.shape()[static_cast<int>(axis)] > 0) continue;
    throw ShapeError(name(), "axis " + std::to_string(axis) + " of " + describe(input) +
                                 " has no elements; expected at least one");
  }
}

OutputSpec Reduction::reduced_spec(const Tensor& input, Dtype dtype) const {
  return OutputSpec::fresh(reduced_shape(input.shape(), reduced_axes(input.rank()), keepdim_), dtype);
}

Tensor Reduction::with_kept_axes(const Tensor& reduced, const Shape& input) const {
  return reshape(reduced, reduced_shape(input, reduced_axes(input.rank()), true));
}

std::vector<AxisTie> Reduction::axis_ties(Inputs inputs) const {
  const Tensor& input = inputs[0];
  const Dims axes = reduced_axes(input.rank());
  std::vector<AxisTie> ties;
  int out = 0;
  for (int i = 0; i < input.rank(); ++i) {
    if (!contains(axes, i))
      ties.push_back({{{0, i}, {-1, out++}}});
    else if (keepdim_)
      ++out;
  }
  return ties;
}

}  // namespace espalier
