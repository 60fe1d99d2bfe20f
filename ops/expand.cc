#include "ops/expand.h"

#include <string>

#include "ops/elementwise_internal.h"
#include "ops/reshape.h"
#include "ops/sum.h"

namespace espalier {

void Expand::infer(Inputs inputs, OutputSpecs& outputs) const {
  const Tensor& input = inputs[0];
  Shape shape = shape_;
  const int lead = shape.rank() - input.rank();
  bool fits = lead >= 0;
  for (int i = 0; i < shape.rank() && fits; ++i) {
    const int64_t own = i >= lead ? input.shape()[i - lead] : 1;
    if (shape[i] == -1 && i >= lead) shape[i] = own;
    fits = shape[i] >= 0 && (own == shape[i] || own == 1);
  }
  if (!fits) throw ShapeError(kName, describe(input) + " does not broadcast to " + to_string(shape_));
  checked_count(shape, kName);
  outputs.push_back(OutputSpec::view(
      0, input, shape, broadcast_strides(input.shape(), input.strides(), shape), input.offset()));
}

Tensors Expand::backward(const BackwardContext& context) const {
  return {sum_to(context.gradient(0), context.input_shape(0))};
}

std::vector<AxisTie> Expand::axis_ties(Inputs inputs) const {
  // Only axes that are kept as they are: the others have a size of their own, here in the shape.
  std::vector<AxisTie> ties;
  const int lead = shape_.rank() - inputs[0].rank();
  for (int i = 0; i < inputs[0].rank(); ++i) {
    if (shape_[lead + i] == -1) ties.push_back({{{0, i}, {-1, lead + i}}});
  }
  return ties;
}

Tensor expand(const Tensor& input, const Shape& shape) {
  check_defined(Expand::kName, input);
  if (input.shape() == shape) return input;
  const int lead = shape.rank() - input.rank();
  Shape kept = shape;
  bool fits = lead >= 0;
  for (int i = 0; i < shape.rank() && fits; ++i) {
    if (i >= lead && shape[i] == input.shape()[i - lead]) kept[i] = -1;
    fits = i < lead ? shape[i] >= 0 : kept[i] == -1 || input.shape()[i - lead] == 1;
  }
  return apply_one(Expand(fits ? kept : shape), input);  // an error shows the shape that was asked for
}

namespace {

/// Puts `times` copies of the slices of `input`, in parts that hold the axes from `behind` on, along `axis`.
Tensor repeated(const char* where, const Tensor& input, int axis, int behind, int64_t times) {
  Shape result = input.shape();
  if (times < 0) {
    throw ShapeError(where, std::to_string(times) + " repeats along axis " + std::to_string(axis) + " of " +
                                describe(input) + "; expected 0 or more");
  }
  if (__builtin_mul_overflow(result[axis], times, &result[axis]))
    throw ShapeError(where, describe(input) + " repeated is longer than 64 bits can say");
  checked_count(result, where);
  if (times == 1) return input;
  int64_t before = 1, inside = 1;
  for (int i = 0; i < input.rank(); ++i) (i < behind ? before : inside) *= input.shape()[i];
  return reshape(expand(reshape(input, {before, 1, inside}), {before, times, inside}), result);
}

}  // namespace

Tensor tile(const Tensor& input, const Dims& repeats) {
  check_defined("tile", input);
  Tensor result = input;
  Shape shape = input.shape();
  while (shape.rank() < repeats.rank()) shape.insert(0, 1);
  result = reshape(result, shape);
  for (int i = 1; i <= repeats.rank(); ++i) {
    const int axis = shape.rank() - i;
    result = repeated("tile", result, axis, axis, repeats[repeats.rank() - i]);
  }
  return result;
}

Tensor repeat_interleave(const Tensor& input, int64_t repeats, int64_t axis) {
  check_defined("repeat_interleave", input);
  const int at = normalize_axis(axis, input.rank(), "repeat_interleave");
  return repeated("repeat_interleave", input, at, at + 1, repeats);
}

}  // namespace espalier
