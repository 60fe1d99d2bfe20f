#include "ops/adam_step.h"

#include "ops/update_internal.h"

namespace espalier {

void AdamStep::infer(Inputs inputs, OutputSpecs& outputs) const {
  infer_update(kName, inputs, 4, outputs);
  const Tensor& step = inputs[5];
  if (step.rank() != 0)
    throw ShapeError(kName, "the step is " + describe(step) + "; expected a tensor without axes");
  if (step.dtype() != Dtype::i64) throw TypeError(kName, "the step is " + describe(step) + "; expected i64");
  outputs.push_back(OutputSpec::update(5, step));
}

Cost AdamStep::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  return {14 * inputs[0].numel(), Operation::cost(inputs, outputs).bytes};
}

std::vector<AxisTie> AdamStep::axis_ties(Inputs inputs) const {
  return update_ties(inputs[0], 4);  // the step, the last output, has no axes
}

void AdamStep::print_attributes(std::ostream& out) const {
  out << "beta1=" << rule_.beta1 << ", beta2=" << rule_.beta2 << ", epsilon=" << rule_.epsilon
      << ", weight_decay=" << rule_.weight_decay << ", decoupled=" << rule_.decoupled;
}

void adam_step_(const Tensor& parameter, const Tensor& gradient, const Tensor& mean, const Tensor& square,
                const Tensor& learning_rate, const Tensor& step, const AdamRule& rule) {
  apply(AdamStep(rule), {parameter, gradient, mean, square, learning_rate, step});
}

}  // namespace espalier
