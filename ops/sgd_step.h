#pragma once

#include "core/door.h"

namespace espalier {

/// How stochastic gradient descent moves a parameter; PyTorch's torch.optim.SGD without dampening.
struct SgdRule {
  double weight_decay = 0;
  bool nesterov = false;
};

/// One step of stochastic gradient descent, in place, in one pass over memory:
///
///     g = gradient + weight_decay * parameter
///     velocity = momentum * velocity + g
///     parameter -= learning_rate * (nesterov ? g + momentum * velocity : velocity)
///
/// Without momentum there is no velocity, and g takes its place. Inputs: parameter, gradient, velocity,
/// learning rate, momentum; velocity and momentum are undefined together. Learning rate and momentum (f64 or
/// f32, no axes) are tensors, so that a captured step can be replayed with others.
class ESPALIER_API SgdStep final : public OperationOf<SgdStep> {
 public:
  static constexpr std::string_view kName = "sgd_step";
  static KernelSlot slot;

  explicit SgdStep(const SgdRule& rule) : rule_(rule) {}
  const SgdRule& rule() const noexcept { return rule_; }
  uint32_t optional_inputs() const override { return 0b10100; }
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  bool differentiable(int) const override { return false; }
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
  void visit_attributes(AttributeVisitor& visit) override {
    visit("weight_decay", rule_.weight_decay);
    visit("nesterov", rule_.nesterov);
  }

 private:
  SgdRule rule_;
};

/// Updates `parameter` and `velocity`, which begins with zeros and is undefined without `momentum`, in place.
/// Throws ShapeError and TypeError where they do not fit, ValueError for a velocity without momentum, for
/// momentum without a velocity and for Nesterov's method without both, GradientError where `parameter`
/// requires a gradient and recording is on.
ESPALIER_API void sgd_step_(const Tensor& parameter, const Tensor& gradient, const Tensor& velocity,
                            const Tensor& learning_rate, const Tensor& momentum, const SgdRule& rule);

}  // namespace espalier
