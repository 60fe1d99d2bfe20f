#include "ops/sgd_step.h"

#include "ops/update_internal.h"

namespace espalier {

void SgdStep::infer(Inputs inputs, OutputSpecs& outputs) const {
  const Tensor& velocity = inputs[2];
  if (velocity.defined() != (rule_.momentum != 0)) {
    throw ValueError(kName, "velocity is " + describe(velocity) + " with momentum " +
                                std::to_string(rule_.momentum) + "; there must be both or neither");
  }
  if (velocity.defined()) return infer_update(kName, inputs, 3, outputs);
  const Tensor plain[] = {inputs[0], inputs[1], inputs[3]};
  infer_update(kName, plain, 2, outputs);
}

Cost SgdStep::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  const int64_t products = (rule_.weight_decay != 0) + (rule_.momentum != 0) + rule_.nesterov + 1;
  return {2 * products * inputs[0].numel(), Operation::cost(inputs, outputs).bytes};
}

std::vector<AxisTie> SgdStep::axis_ties(Inputs inputs) const {
  return update_ties(inputs[0], inputs[2].defined() ? 3 : 2);
}

void SgdStep::print_attributes(std::ostream& out) const {
  out << "momentum=" << rule_.momentum << ", weight_decay=" << rule_.weight_decay
      << ", nesterov=" << rule_.nesterov;
}

void sgd_step_(const Tensor& parameter, const Tensor& gradient, const Tensor& velocity,
               const Tensor& learning_rate, const SgdRule& rule) {
  apply(SgdStep(rule), {parameter, gradient, velocity, learning_rate});
}

}  // namespace espalier
