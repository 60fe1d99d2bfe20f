#include "ops/fused_linear.h"

#include "ops/add.h"
#include "ops/linear.h"
#include "ops/residual_internal.h"

namespace espalier {

void FusedLinear::infer(Inputs inputs, OutputSpecs& outputs) const {
  OutputSpecs product;
  Linear().infer(inputs.first(3), product);
  outputs.push_back(with_residual(kName, inputs, product[0], "row-major"));
}

Tensors FusedLinear::decompose(Inputs inputs) const {
  const Tensor y = linear(inputs[0], inputs[1], inputs[2]);
  return {activate(inputs[3].defined() ? y + inputs[3] : y, activation_)};
}

Cost FusedLinear::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  Cost cost = Linear().cost(inputs.first(3), outputs);
  add_residual_cost(cost, inputs, outputs[0], activation_ != Activation::none);
  return cost;
}

std::vector<AxisTie> FusedLinear::axis_ties(Inputs inputs) const {
  std::vector<AxisTie> ties = Linear().axis_ties(inputs.first(3));
  tie_residual(ties, inputs);
  return ties;
}

Tensor fused_linear(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& residual,
                    Activation activation) {
  return apply_one(FusedLinear(activation), x, weight, bias, residual);
}

}  // namespace espalier
