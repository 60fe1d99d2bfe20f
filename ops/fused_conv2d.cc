#include "ops/fused_conv2d.h"

#include "ops/add.h"
#include "ops/relu.h"
#include "ops/residual_internal.h"

namespace espalier {

void FusedConv2d::infer(Inputs inputs, OutputSpecs& outputs) const {
  OutputSpecs convolved;
  Conv2d(options_.conv).infer(inputs.first(3), convolved);
  outputs.push_back(with_residual(kName, inputs, convolved[0], "channels-last"));
}

Tensors FusedConv2d::decompose(Inputs inputs) const {
  Tensor y = conv2d(inputs[0], inputs[1], inputs[2], options_.conv);
  if (inputs[3].defined()) y = y + inputs[3];
  return {options_.relu ? relu(y) : y};
}

Cost FusedConv2d::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  Cost cost = Conv2d(options_.conv).cost(inputs.first(3), outputs);
  add_residual_cost(cost, inputs, outputs[0], options_.relu);
  return cost;
}

std::vector<AxisTie> FusedConv2d::axis_ties(Inputs inputs) const {
  std::vector<AxisTie> ties = Conv2d(options_.conv).axis_ties(inputs.first(3));
  tie_residual(ties, inputs);
  return ties;
}

Tensor fused_conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& residual,
                    const FusedConv2dOptions& options) {
  return apply_one(FusedConv2d(options), x, weight, bias, residual);
}

}  // namespace espalier
