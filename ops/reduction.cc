#include <algorithm>
#include <string>

#include "ops/reduction_internal.h"
#include "ops/reshape.h"

namespace espalier {
namespace {

bool contains(const Dims& axes, int axis) {
  return std::find(axes.begin(), axes.end(), axis) != axes.end();
}

}  // namespace

Dims reduced_axes(std::string_view name, const Dims& axes, int rank) {
  Dims result;
  if (axes.empty()) {
    for (int i = 0; i < rank; ++i) result.push_back(i);
    return result;
  }
  for (int64_t axis : axes) {
    const int index = normalize_axis(axis, rank, name);
    if (contains(result, index))
      throw ShapeError(name, "axis " + std::to_string(axis) + " is named twice in " + to_string(axes));
    result.push_back(index);
  }
  std::sort(result.begin(), result.end());
  return result;
}

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

Tensor with_kept_axes(const Tensor& reduced, const Shape& input, const Dims& axes) {
  return reshape(reduced, reduced_shape(input, axes, true));
}

std::vector<AxisTie> reduction_ties(const Tensor& input, const Dims& axes, bool keepdim) {
  std::vector<AxisTie> ties;
  int out = 0;
  for (int i = 0; i < input.rank(); ++i) {
    if (!contains(axes, i))
      ties.push_back({{{0, i}, {-1, out++}}});
    else if (keepdim)
      ++out;
  }
  return ties;
}

}  // namespace espalier
