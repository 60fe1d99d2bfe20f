#include "ops/flip.h"

#include <string>

#include "ops/concat.h"
#include "ops/slice.h"

namespace espalier {

uint32_t Flip::reversed(int rank) const {
  uint32_t axes = 0;
  for (const int64_t axis : axes_) {
    const uint32_t bit = 1u << normalize_axis(axis, rank, kName);
    if (axes & bit) throw ShapeError(kName, "axes " + to_string(axes_) + " name one of them twice");
    axes |= bit;
  }
  return axes;
}

void Flip::infer(Inputs inputs, OutputSpecs& outputs) const {
  const Tensor& input = inputs[0];
  reversed(input.rank());
  outputs.push_back(OutputSpec::fresh(
      input.shape(), strides_nested_like(input.shape(), input.shape(), input.strides()), input.dtype()));
}

Tensors Flip::backward(const BackwardContext& context) const {
  return {flip(context.gradient(0), axes_)};
}

std::vector<AxisTie> Flip::axis_ties(Inputs inputs) const {
  // A channel that leaves a reversed axis leaves the other end of the output's.
  std::vector<AxisTie> ties;
  const uint32_t axes = reversed(inputs[0].rank());
  for (int i = 0; i < inputs[0].rank(); ++i) {
    if (!(axes >> i & 1u)) ties.push_back({{{0, i}, {-1, i}}});
  }
  return ties;
}

Tensor flip(const Tensor& input, const Dims& axes) {
  return apply_one(Flip(axes), input);
}

Tensor roll(const Tensor& input, int64_t shift, int64_t axis) {
  check_defined("roll", input);
  const int64_t size = input.shape()[normalize_axis(axis, input.rank(), "roll")];
  if (size == 0 || shift % size == 0) return input;
  const int64_t start = shift % size > 0 ? size - shift % size : -(shift % size);
  return concat({slice(input, axis, {.start = start}), slice(input, axis, {.stop = start})}, axis);
}

}  // namespace espalier
