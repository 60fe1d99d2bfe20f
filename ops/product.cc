#include "ops/product.h"

#include "ops/concat.h"
#include "ops/multiply.h"
#include "ops/reshape.h"
#include "ops/slice.h"

namespace espalier {

void Product::infer(Inputs inputs, OutputSpecs& outputs) const {
  check_reducible(inputs);
  const Dtype dtype = inputs[0].dtype();
  outputs.push_back(reduced_spec(inputs[0], is_floating(dtype) ? dtype : Dtype::i64));
}

Tensors Product::backward(const BackwardContext& context) const {
  const Tensor gradient = with_kept_axes(context.gradient(0), context.input_shape(0));
  return {apply_one(ProductBackward(), gradient, context.input(0))};
}

// Halves of an axis are multiplied until one element is left of it: no quotient, so zeros do not matter.
Tensors Product::decompose(Inputs inputs) const {
  const Tensor& input = inputs[0];
  OutputSpecs specs;
  infer(inputs, specs);
  if (input.numel() == 0) return {full(specs[0].shape, 1, input.dtype(), input.device())};
  Tensor x = input;
  for (const int64_t axis : reduced_axes(input.rank())) {
    for (int64_t size = x.size(axis); size > 1; size = x.size(axis)) {
      const int64_t half = size / 2;
      const Tensor halves =
          slice(x, axis, {.stop = half}) * slice(x, axis, {.start = half, .stop = 2 * half});
      x = size % 2 == 0 ? halves : concat({halves, slice(x, axis, {.start = size - 1})}, axis);
    }
  }
  return {reshape(x, specs[0].shape)};
}

Tensor product(const Tensor& input, const Dims& axes, bool keepdim) {
  return apply_one(Product(axes, keepdim), input);
}

void ProductBackward::infer(Inputs inputs, OutputSpecs& outputs) const {
  const Tensor &gradient = inputs[0], &x = inputs[1];
  if (gradient.dtype() != x.dtype() || !is_floating(x.dtype()))
    throw TypeError(kName, "inputs are " + describe(inputs) + "; expected one floating type");
  bool fits = gradient.rank() == x.rank();
  for (int i = 0; fits && i < x.rank(); ++i)
    fits = gradient.shape()[i] == x.shape()[i] || gradient.shape()[i] == 1;
  if (!fits) {
    throw ShapeError(kName, "inputs are " + describe(inputs) +
                                "; expected a gradient of the shape of x but for axes of size 1");
  }
  outputs.push_back(OutputSpec::fresh(x.shape(), x.dtype()));
}

std::vector<AxisTie> ProductBackward::axis_ties(Inputs inputs) const {
  std::vector<AxisTie> ties;
  for (int i = 0; i < inputs[1].rank(); ++i) {
    if (inputs[0].shape()[i] == inputs[1].shape()[i] && inputs[1].shape()[i] > 1)
      ties.push_back({{{0, i}, {1, i}, {-1, i}}});
  }
  return ties;
}

Cost ProductBackward::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  Cost cost = Operation::cost(inputs, outputs);
  cost.flops = 3 * inputs[1].numel();  // the product, the count of zeros, the quotient
  return cost;
}

}  // namespace espalier
