#include "ops/sgd_step.h"

#include "ops/update_internal.h"

namespace espalier {

void SgdStep::infer(Inputs inputs, OutputSpecs& outputs) const {
  const Tensor &velocity = inputs[2], &momentum = inputs[4];
  if (velocity.defined() != momentum.defined()) {
    throw ValueError(kName, "the velocity is " + describe(velocity) + " and the momentum " +
                                describe(momentum) + "; there must be both or neither");
  }
  if (rule_.nesterov && !velocity.defined())
    throw ValueError(kName, "Nesterov's method looks ahead along the momentum, which is undefined");
  infer_update(kName, inputs, 3, outputs);
  if (momentum.defined()) check_rate(kName, "momentum", momentum);
}

Cost SgdStep::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  const int64_t products = (rule_.weight_decay != 0) + inputs[2].defined() + rule_.nesterov + 1;
  return {2 * products * inputs[0].numel(), Operation::cost(inputs, outputs).bytes};
}

std::vector<AxisTie> SgdStep::axis_ties(Inputs inputs) const {
  return update_ties(inputs.first(3));
}

void sgd_step_(const Tensor& parameter, const Tensor& gradient, const Tensor& velocity,
               const Tensor& learning_rate, const Tensor& momentum, const SgdRule& rule) {
  apply(SgdStep(rule), {parameter, gradient, velocity, learning_rate, momentum});
}

}  // namespace espalier
