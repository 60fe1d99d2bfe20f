#include "ops/adam_step.h"

#include "ops/update_internal.h"

namespace espalier {

void AdamStep::infer(Inputs inputs, OutputSpecs& outputs) const {
  infer_update(kName, inputs, 5, outputs);
  check_rate(kName, "beta1", inputs[6]);
  infer_step_count(kName, inputs, 7, outputs);
}

Cost AdamStep::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  return {14 * inputs[0].numel(), Operation::cost(inputs, outputs).bytes};
}

std::vector<AxisTie> AdamStep::axis_ties(Inputs inputs) const {
  return update_ties(inputs.first(5));  // the step, the last output, has no axes
}

void adam_step_(const Tensor& parameter, const Tensor& gradient, const Tensor& mean, const Tensor& square,
                const Tensor& largest, const Tensor& learning_rate, const Tensor& beta1, const Tensor& step,
                const AdamRule& rule) {
  apply(AdamStep(rule), {parameter, gradient, mean, square, largest, learning_rate, beta1, step});
}

}  // namespace espalier
