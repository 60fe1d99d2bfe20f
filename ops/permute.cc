#include "ops/permute.h"

#include <utility>

namespace espalier {
namespace {

/// `axes` made non-negative. Throws ShapeError unless they are a permutation of all axes of `input`.
Dims resolved_axes(const Dims& axes, const Tensor& input) {
  const int rank = input.rank();
  uint32_t seen = 0;
  Dims result;
  for (int64_t axis : axes) {
    if (axis < -rank || axis >= rank) break;
    result.push_back(axis < 0 ? axis + rank : axis);
    seen |= 1u << result.back();
  }
  if (axes.rank() != rank || seen != (1u << rank) - 1) {
    throw ShapeError(Permute::kName,
                     "axes " + to_string(axes) + " do not name each axis of " + describe(input) + " once");
  }
  return result;
}

}  // namespace

void Permute::infer(Inputs inputs, OutputSpecs& outputs) const {
  const Tensor& input = inputs[0];
  const Dims axes = resolved_axes(axes_, input);
  Shape shape = axes;
  Strides strides = axes;
  for (int i = 0; i < axes.rank(); ++i) {
    const int axis = static_cast<int>(axes[i]);
    shape[i] = input.shape()[axis];
    strides[i] = input.strides()[axis];
  }
  outputs.push_back(OutputSpec::view(0, input, shape, strides, input.offset()));
}

Tensors Permute::backward(const BackwardContext& context) const {
  const int rank = axes_.rank();
  Dims inverse = Dims::filled(rank, 0);
  for (int i = 0; i < rank; ++i) inverse[normalize_axis(axes_[i], rank, kName)] = i;
  return {permute(context.gradient(0), inverse)};
}

std::vector<AxisTie> Permute::axis_ties(Inputs inputs) const {
  std::vector<AxisTie> ties;
  for (int i = 0; i < axes_.rank(); ++i) {
    ties.push_back({{{0, normalize_axis(axes_[i], inputs[0].rank(), kName)}, {-1, i}}});
  }
  return ties;
}

Tensor permute(const Tensor& input, const Dims& axes) {
  return apply_one(Permute(axes), input);
}

Tensor transpose(const Tensor& input, int64_t a, int64_t b) {
  check_defined("transpose", input);
  const int rank = input.rank();
  Dims axes;
  for (int i = 0; i < rank; ++i) axes.push_back(i);
  std::swap(axes[normalize_axis(a, rank, "transpose")], axes[normalize_axis(b, rank, "transpose")]);
  return permute(input, axes);
}

}  // namespace espalier
