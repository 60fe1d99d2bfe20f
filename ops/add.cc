#include "ops/add.h"

#include "ops/elementwise_internal.h"
#include "ops/promotion.h"
#include "ops/sum.h"

namespace espalier {

void Add::infer(Inputs inputs, OutputSpecs& outputs) const {
  outputs.push_back(elementwise_spec(kName, inputs));
}

Tensors Add::backward(const BackwardContext& context) const {
  const Tensor& gradient = context.gradient(0);
  return {sum_to(gradient, context.input_shape(0)), sum_to(gradient, context.input_shape(1))};
}

std::vector<AxisTie> Add::axis_ties(Inputs inputs) const {
  return elementwise_ties(inputs);
}

Tensor add(const Tensor& a, const Tensor& b) {
  const auto [x, y] = promoted(Add::kName, a, b);
  return apply_one(Add(), x, y);
}

Tensor add(const Tensor& a, Scalar b) {
  const auto [x, y] = promoted(Add::kName, a, b);
  return apply_one(Add(), x, y);
}

}  // namespace espalier
