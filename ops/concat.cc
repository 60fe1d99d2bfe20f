#include "ops/concat.h"

#include <algorithm>
#include <string>

#include "ops/reshape.h"
#include "ops/slice.h"

namespace espalier {
namespace {

/// Inputs of one operation at most: the sets of inputs that a backward reads and wants have 32 bits.
constexpr size_t kMostInputs = 32;

/// Whether the axes of `tensor` lie in memory in the order that `strides` say. Those of size 1 lie anywhere.
bool is_nested_like(const Tensor& tensor, const Strides& strides) {
  for (int a = 0; a < tensor.rank(); ++a) {
    for (int b = 0; b < a; ++b) {
      const bool counts = tensor.shape()[a] > 1 && tensor.shape()[b] > 1;
      if (counts && (tensor.strides()[a] < tensor.strides()[b]) != (strides[a] < strides[b])) return false;
    }
  }
  return true;
}

/// The order of axes that all inputs have, else row-major.
Strides common_strides(Inputs inputs, const Shape& shape) {
  // The largest input has the fewest axes of size 1, whose place is unknown.
  const Tensor& largest = *std::max_element(
      inputs.begin(), inputs.end(), [](const Tensor& a, const Tensor& b) { return a.numel() < b.numel(); });
  const Strides strides = strides_nested_like(shape, largest.shape(), largest.strides());
  const bool common = std::all_of(inputs.begin(), inputs.end(),
                                  [&](const Tensor& input) { return is_nested_like(input, strides); });
  return common ? strides : contiguous_strides(shape);
}

}  // namespace

void Concat::infer(Inputs inputs, OutputSpecs& outputs) const {
  if (inputs.empty()) throw ValueError(kName, "no inputs; expected at least one");
  const Tensor& first = inputs[0];
  const int along = axis(first.rank());
  Shape shape = first.shape();
  shape[along] = 0;
  for (const Tensor& input : inputs) {
    if (input.dtype() != first.dtype())
      throw TypeError(kName, "inputs " + describe(inputs) + " are of several types; convert them to one");
    bool fits = input.rank() == first.rank();
    for (int i = 0; fits && i < first.rank(); ++i) fits = i == along || input.shape()[i] == shape[i];
    if (!fits) {
      throw ShapeError(kName, "inputs " + describe(inputs) + " do not agree on the axes other than " +
                                  std::to_string(along));
    }
    if (__builtin_add_overflow(shape[along], input.shape()[along], &shape[along]))
      throw ShapeError(kName, "inputs " + describe(inputs) + " together are longer than 64 bits can say");
  }
  checked_count(shape, kName);
  outputs.push_back(OutputSpec::fresh(shape, common_strides(inputs, shape), first.dtype()));
}

Tensors Concat::backward(const BackwardContext& context) const {
  const Tensor& gradient = context.gradient(0);
  const int along = axis(gradient.rank());
  Tensors gradients;
  int64_t start = 0;
  for (int i = 0; i < context.input_count(); ++i) {
    const int64_t stop = start + context.input_shape(i)[along];
    gradients.push_back(context.wants(i) ? slice(gradient, along, {start, stop}) : Tensor());
    start = stop;
  }
  return gradients;
}

std::vector<AxisTie> Concat::axis_ties(Inputs inputs) const {
  // The axis itself is made of several: none of them may shrink alone.
  const int rank = inputs[0].rank();
  std::vector<AxisTie> ties;
  for (int i = 0; i < rank; ++i) {
    if (i == axis(rank)) continue;
    AxisTie tie;
    for (int input = 0; input < static_cast<int>(inputs.size()); ++input) tie.axes.push_back({input, i});
    tie.axes.push_back({-1, i});
    ties.push_back(std::move(tie));
  }
  return ties;
}

Tensor concat(std::span<const Tensor> inputs, int64_t axis) {
  if (inputs.size() <= kMostInputs) return std::move(apply(Concat(axis), inputs)[0]);
  std::vector<Tensor> parts;
  while (!inputs.empty()) {
    const size_t taken = std::min(inputs.size(), kMostInputs);
    parts.push_back(concat(inputs.first(taken), axis));
    inputs = inputs.subspan(taken);
  }
  return concat(parts, axis);
}

Tensor stack(std::span<const Tensor> inputs, int64_t axis) {
  if (inputs.empty()) throw ValueError("stack", "no inputs; expected at least one");
  check_defined("stack", inputs);
  const int at = normalize_axis(axis, inputs[0].rank() + 1, "stack");
  std::vector<Tensor> parts;
  for (const Tensor& input : inputs) {
    if (input.shape() != inputs[0].shape())
      throw ShapeError("stack", "inputs " + describe(inputs) + " are not of one shape");
    parts.push_back(unsqueeze(input, at));
  }
  return concat(parts, at);
}

}  // namespace espalier
