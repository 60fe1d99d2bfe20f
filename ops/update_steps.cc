#include "ops/update_steps.h"

#include "ops/update_internal.h"

namespace espalier {
namespace {

/// `flops` for each element of the parameter; every operand moves once.
Cost update_cost(const Operation& operation, int64_t flops, Inputs inputs,
                 std::span<const OutputSpec> outputs) {
  return {flops * inputs[0].numel(), operation.Operation::cost(inputs, outputs).bytes};
}

}  // namespace

void RmspropStep::infer(Inputs inputs, OutputSpecs& outputs) const {
  const Tensor &velocity = inputs[4], &momentum = inputs[6];
  if (velocity.defined() != momentum.defined()) {
    throw ValueError(kName, "the velocity is " + describe(velocity) + " and the momentum " +
                                describe(momentum) + "; there must be both or neither");
  }
  infer_update(kName, inputs, 5, outputs);
  if (momentum.defined()) check_rate(kName, "momentum", momentum);
}
Cost RmspropStep::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  return update_cost(*this, 9 + 5 * inputs[3].defined() + 2 * inputs[4].defined(), inputs, outputs);
}
std::vector<AxisTie> RmspropStep::axis_ties(Inputs inputs) const {
  return update_ties(inputs.first(5));
}
void rmsprop_step_(const Tensor& parameter, const Tensor& gradient, const Tensor& square, const Tensor& mean,
                   const Tensor& velocity, const Tensor& learning_rate, const Tensor& momentum,
                   const RmspropRule& rule) {
  apply(RmspropStep(rule), {parameter, gradient, square, mean, velocity, learning_rate, momentum});
}

void AdagradStep::infer(Inputs inputs, OutputSpecs& outputs) const {
  infer_update(kName, inputs, 3, outputs);
  infer_step_count(kName, inputs, 4, outputs);
}
Cost AdagradStep::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  return update_cost(*this, 8, inputs, outputs);
}
std::vector<AxisTie> AdagradStep::axis_ties(Inputs inputs) const {
  return update_ties(inputs.first(3));
}
void adagrad_step_(const Tensor& parameter, const Tensor& gradient, const Tensor& sum,
                   const Tensor& learning_rate, const Tensor& step, const AdagradRule& rule) {
  apply(AdagradStep(rule), {parameter, gradient, sum, learning_rate, step});
}

void AdadeltaStep::infer(Inputs inputs, OutputSpecs& outputs) const {
  infer_update(kName, inputs, 4, outputs);
}
Cost AdadeltaStep::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  return update_cost(*this, 16, inputs, outputs);
}
std::vector<AxisTie> AdadeltaStep::axis_ties(Inputs inputs) const {
  return update_ties(inputs.first(4));
}
void adadelta_step_(const Tensor& parameter, const Tensor& gradient, const Tensor& square,
                    const Tensor& change_square, const Tensor& learning_rate, const AdadeltaRule& rule) {
  apply(AdadeltaStep(rule), {parameter, gradient, square, change_square, learning_rate});
}

void LionStep::infer(Inputs inputs, OutputSpecs& outputs) const {
  infer_update(kName, inputs, 3, outputs);
  check_rate(kName, "beta1", inputs[4]);
}
Cost LionStep::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  return update_cost(*this, 11, inputs, outputs);
}
std::vector<AxisTie> LionStep::axis_ties(Inputs inputs) const {
  return update_ties(inputs.first(3));
}
void lion_step_(const Tensor& parameter, const Tensor& gradient, const Tensor& mean,
                const Tensor& learning_rate, const Tensor& beta1, const LionRule& rule) {
  apply(LionStep(rule), {parameter, gradient, mean, learning_rate, beta1});
}

void AverageStep::infer(Inputs inputs, OutputSpecs& outputs) const {
  infer_update(kName, inputs, 2, outputs);
}
Cost AverageStep::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  return update_cost(*this, 3, inputs, outputs);
}
std::vector<AxisTie> AverageStep::axis_ties(Inputs inputs) const {
  return update_ties(inputs.first(2));
}
void average_step_(const Tensor& average, const Tensor& value, const Tensor& rate) {
  apply(AverageStep(), {average, value, rate});
}

}  // namespace espalier
