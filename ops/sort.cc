#include "ops/sort.h"

#include <bit>
#include <string>

#include "ops/along_axis_internal.h"
#include "ops/reshape.h"
#include "ops/slice.h"

namespace espalier {

void Ordering::infer_ordered(const Tensor& input, int64_t size, OutputSpecs& outputs) const {
  if (input.dtype() >= Dtype::u16)
    throw TypeError(name(), "input is " + describe(input) + "; u16, u32 and u64 only load and convert");
  const Shape shape = AxisSlices(input.shape(), axis_, name()).with_size(size);
  outputs.push_back(OutputSpec::fresh(shape, input.dtype()));
  outputs.push_back(OutputSpec::fresh(shape, Dtype::i64));
}

Tensors Ordering::backward(const BackwardContext& context) const {
  const int64_t size = AxisSlices(context.input_shape(0), axis_, name()).size();
  return {put_along_axis(context.gradient(0), context.output(1), axis_, size)};
}

Cost Ordering::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  Cost cost = Operation::cost(inputs, outputs);
  const auto size = static_cast<uint64_t>(AxisSlices(inputs[0].shape(), axis_, name()).size());
  cost.flops = inputs[0].numel() * static_cast<int64_t>(std::bit_width(size));  // comparisons of a merge sort
  return cost;
}

std::vector<AxisTie> Ordering::axis_ties(Inputs inputs) const {
  return AxisSlices(inputs[0].shape(), axis_, name()).ties(1, 2);
}

void Sort::infer(Inputs inputs, OutputSpecs& outputs) const {
  infer_ordered(inputs[0], AxisSlices(inputs[0].shape(), axis(), kName).size(), outputs);
}

void TopK::infer(Inputs inputs, OutputSpecs& outputs) const {
  const int64_t size = AxisSlices(inputs[0].shape(), axis(), kName).size();
  if (k_ < 0 || k_ > size || (k_ == 0 && inputs[0].rank() == 0)) {
    throw ShapeError(kName, std::to_string(k_) + " elements are asked for of " + std::to_string(size) +
                                " along axis " + std::to_string(axis()) + " of " + describe(inputs[0]));
  }
  infer_ordered(inputs[0], k_, outputs);
}

ValuesAndIndices sort(const Tensor& x, int64_t axis, bool descending) {
  Tensors sorted = apply(Sort(axis, descending), {x});
  return {std::move(sorted[0]), std::move(sorted[1])};
}

Tensor argsort(const Tensor& x, int64_t axis, bool descending) {
  return sort(x, axis, descending).indices;
}

ValuesAndIndices topk(const Tensor& x, int64_t k, int64_t axis, bool largest) {
  Tensors found = apply(TopK(k, axis, largest), {x});
  return {std::move(found[0]), std::move(found[1])};
}

ValuesAndIndices kth_value(const Tensor& x, int64_t k, int64_t axis, bool keepdim) {
  if (k < 1) {
    throw ShapeError("kth_value", "k is " + std::to_string(k) + " for " + describe(x) +
                                      "; expected 1 (the smallest) to the size of the axis");
  }
  ValuesAndIndices smallest = topk(x, k, axis, false);
  if (x.rank() == 0) return smallest;
  const auto last = [&](const Tensor& list) {
    const Tensor kept = slice(list, axis, {.start = k - 1});
    return keepdim ? kept : squeeze(kept, axis);
  };
  return {last(smallest.values), last(smallest.indices)};
}

}  // namespace espalier
