#pragma once

#include "core/door.h"

namespace espalier {

/// How stochastic gradient descent moves a parameter; PyTorch's torch.optim.SGD without dampening.
struct SgdRule {
  double momentum = 0;
  double weight_decay = 0;
  bool nesterov = false;
};

/// One step of stochastic gradient descent, in place, in one pass over memory:
///
///     g = gradient + weight_decay * parameter
///     velocity = momentum * velocity + g
///     parameter -= learning_rate * (nesterov ? g + momentum * velocity : velocity)
///
/// Without momentum there is no velocity, and g takes its place. Inputs: parameter, gradient, velocity
/// (undefined without momentum), learning rate (f64 or f32, no axes: a tensor, so that a captured step can be
/// replayed with another).
class ESPALIER_API SgdStep final : public OperationOf<SgdStep> {
 public:
  static constexpr std::string_view kName = "sgd_step";
  static KernelSlot slot;

  explicit SgdStep(const SgdRule& rule) : rule_(rule) {}
  const SgdRule& rule() const noexcept { return rule_; }
  uint32_t optional_inputs() const override { return 0b100; }
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  bool differentiable(int) const override { return false; }
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
  void print_attributes(std::ostream& out) const override;

 private:
  SgdRule rule_;
};

/// Updates `parameter` and, where the rule has momentum, `velocity` in place. Throws ShapeError and TypeError
/// where they do not fit, ValueError for a velocity that is missing or not used, GradientError where
/// `parameter` requires a gradient and recording is on.
ESPALIER_API void sgd_step_(const Tensor& parameter, const Tensor& gradient, const Tensor& velocity,
                            const Tensor& learning_rate, const SgdRule& rule);

}  // namespace espalier
