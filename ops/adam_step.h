#pragma once

#include "core/door.h"

namespace espalier {

/// How Adam moves a parameter; the defaults are PyTorch's.
struct AdamRule {
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;
  bool decoupled = false;  ///< weight decay as AdamW does it, beside the gradient instead of in it
};

/// One step of Adam (Kingma and Ba 2014) or AdamW (Loshchilov and Hutter 2017), in place, in one pass over
/// memory, with the formulas of torch.optim.Adam and AdamW:
///
///     step += 1
///     g = gradient + weight_decay * parameter
///     mean += (1 - beta1) * (g - mean)
///     square += (1 - beta2) * (g * g - square)
///     parameter -= learning_rate / (1 - beta1^step) * mean / (sqrt(square) / sqrt(1 - beta2^step) + epsilon)
///
/// Where the decay is decoupled, g is the gradient, and the parameter is first multiplied by
/// 1 - learning_rate * weight_decay. AMSGrad (Reddi, Kale, Kumar 2018) has a further tensor,
/// largest = max(largest, square), of which the root is taken.
///
/// Inputs: parameter, gradient, mean, square, largest (undefined but for AMSGrad), learning rate, beta1 (both
/// f64 or f32, no axes), step (i64, no axes). The last three are tensors, so that a captured step can be
/// replayed with others; the step counts those that the parameter has made and is updated, too.
class ESPALIER_API AdamStep final : public OperationOf<AdamStep> {
 public:
  static constexpr std::string_view kName = "adam_step";
  static KernelSlot slot;

  explicit AdamStep(const AdamRule& rule) : rule_(rule) {}
  const AdamRule& rule() const noexcept { return rule_; }
  uint32_t optional_inputs() const override { return 0b10000; }
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  bool differentiable(int) const override { return false; }
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
  void visit_attributes(AttributeVisitor& visit) override {
    visit("beta2", rule_.beta2);
    visit("epsilon", rule_.epsilon);
    visit("weight_decay", rule_.weight_decay);
    visit("decoupled", rule_.decoupled);
  }

 private:
  AdamRule rule_;
};

/// Updates `parameter`, `mean`, `square`, `largest` and `step`, which begin with zeros, in place. Throws
/// ShapeError and TypeError where they do not fit, ValueError for a negative step, GradientError where
/// `parameter` requires a gradient and recording is on.
ESPALIER_API void adam_step_(const Tensor& parameter, const Tensor& gradient, const Tensor& mean,
                             const Tensor& square, const Tensor& largest, const Tensor& learning_rate,
                             const Tensor& beta1, const Tensor& step, const AdamRule& rule);

}  // namespace espalier
