#include "ops/cumsum.h"

#include "ops/along_axis_internal.h"
#include "ops/concat.h"
#include "ops/multiply.h"
#include "ops/reshape.h"
#include "ops/slice.h"

namespace espalier {
namespace {

OutputSpec scan_spec(std::string_view name, const Tensor& x, int64_t axis) {
  if (x.dtype() >= Dtype::u16)
    throw TypeError(name, "input is " + describe(x) + "; u16, u32 and u64 only load and convert");
  static_cast<void>(AxisSlices(x.shape(), axis, name));
  return OutputSpec::fresh(x.shape(), is_floating(x.dtype()) ? x.dtype() : Dtype::i64);
}

}  // namespace

void CumulativeSum::infer(Inputs inputs, OutputSpecs& outputs) const {
  outputs.push_back(scan_spec(kName, inputs[0], axis_));
}

Tensors CumulativeSum::backward(const BackwardContext& context) const {
  return {apply_one(CumulativeSum(axis_, !reverse_), context.gradient(0))};
}

std::vector<AxisTie> CumulativeSum::axis_ties(Inputs inputs) const {
  return AxisSlices(inputs[0].shape(), axis_, kName).ties(1, 1);
}

void CumulativeProduct::infer(Inputs inputs, OutputSpecs& outputs) const {
  outputs.push_back(scan_spec(kName, inputs[0], axis_));
}

Tensors CumulativeProduct::backward(const BackwardContext& context) const {
  return {apply_one(CumulativeProductBackward(axis_), context.gradient(0), context.input(0))};
}

// Products of 1, 2, 4, ... elements, each made of two of half the length (Hillis & Steele, "Data parallel
// algorithms", 1986): no quotient, so zeros do not matter.
Tensors CumulativeProduct::decompose(Inputs inputs) const {
  Tensor x = inputs[0];
  if (x.rank() == 0) return {alias(x)};
  const int64_t size = x.size(axis_);
  for (int64_t length = 1; length < size; length *= 2) {
    const Tensor begin = slice(x, axis_, {.stop = length});
    const Tensor rest = slice(x, axis_, {.start = length}) * slice(x, axis_, {.stop = size - length});
    x = concat({begin, rest}, axis_);
  }
  return {alias(x)};
}

std::vector<AxisTie> CumulativeProduct::axis_ties(Inputs inputs) const {
  return AxisSlices(inputs[0].shape(), axis_, kName).ties(1, 1);
}

void CumulativeProductBackward::infer(Inputs inputs, OutputSpecs& outputs) const {
  const Tensor &gradient = inputs[0], &x = inputs[1];
  static_cast<void>(AxisSlices(x.shape(), axis_, kName));
  if (gradient.dtype() != x.dtype() || !is_floating(x.dtype()))
    throw TypeError(kName, "inputs are " + describe(inputs) + "; expected one floating type");
  if (gradient.shape() != x.shape())
    throw ShapeError(kName, "inputs are " + describe(inputs) + "; expected one shape");
  outputs.push_back(OutputSpec::fresh(x.shape(), x.dtype()));
}

std::vector<AxisTie> CumulativeProductBackward::axis_ties(Inputs inputs) const {
  return AxisSlices(inputs[0].shape(), axis_, kName).ties(2, 1);
}

Cost CumulativeProductBackward::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  Cost cost = Operation::cost(inputs, outputs);
  cost.flops = 4 * inputs[1].numel();
  return cost;
}

Tensor cumsum(const Tensor& x, int64_t axis) {
  return apply_one(CumulativeSum(axis), x);
}

Tensor cumprod(const Tensor& x, int64_t axis) {
  return apply_one(CumulativeProduct(axis), x);
}

}  // namespace espalier
