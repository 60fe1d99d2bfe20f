#pragma once

#include "core/door.h"

namespace espalier {

// One step of an optimiser, in place, in one pass over memory. Common to all: parameter, gradient and state
// have one shape and one type (f64, f32, f16, bf16; the narrow ones compute in f32); rates are tensors
// without axes of type f64 or f32, and step counts of type i64, so that a captured step can be replayed with
// others. Numbers below the smallest normal one (1.2e-38 in f32) may count as 0: moments that shrink to them
// would be slow, and change nothing. The functions throw ShapeError and TypeError where these do not fit, and
// GradientError where the parameter requires a gradient and recording is on. For SGD and Adam see
// ops/sgd_step.h, ops/adam_step.h.

/// How RMSprop moves a parameter; the defaults are PyTorch's.
struct RmspropRule {
  double alpha = 0.99;  ///< how much of the mean square is kept
  double epsilon = 1e-8;
  double weight_decay = 0;
};

/// One step of RMSprop (Hinton, lecture 6e of "Neural networks for machine learning", 2012), centred as
/// Graves (2013) has it where there is a `mean`, with the formulas of torch.optim.RMSprop:
///
///     g = gradient + weight_decay * parameter
///     square = alpha * square + (1 - alpha) * g * g
///     mean = alpha * mean + (1 - alpha) * g
///     direction = g / (sqrt(square - mean * mean) + epsilon)
///     velocity = momentum * velocity + direction
///     parameter -= learning_rate * velocity
///
/// Without `mean` it counts as 0; without `velocity` and `momentum` the direction takes the velocity's place.
/// A variance that rounding made negative counts as 0, where PyTorch gets a NaN.
///
/// Inputs: parameter, gradient, square, mean, velocity, learning rate, momentum.
class ESPALIER_API RmspropStep final : public OperationOf<RmspropStep> {
 public:
  static constexpr std::string_view kName = "rmsprop_step";
  static KernelSlot slot;

  explicit RmspropStep(const RmspropRule& rule) : rule_(rule) {}
  const RmspropRule& rule() const noexcept { return rule_; }
  uint32_t optional_inputs() const override { return 0b1011000; }
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  bool differentiable(int) const override { return false; }
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
  void visit_attributes(AttributeVisitor& visit) override {
    visit("alpha", rule_.alpha);
    visit("epsilon", rule_.epsilon);
    visit("weight_decay", rule_.weight_decay);
  }

 private:
  RmspropRule rule_;
};

/// Updates `parameter`, `square` and, where defined, `mean` and `velocity`, which begin with zeros. Throws
/// ValueError unless velocity and momentum are both defined or both not.
ESPALIER_API void rmsprop_step_(const Tensor& parameter, const Tensor& gradient, const Tensor& square,
                                const Tensor& mean, const Tensor& velocity, const Tensor& learning_rate,
                                const Tensor& momentum, const RmspropRule& rule);

/// How Adagrad moves a parameter; the defaults are PyTorch's.
struct AdagradRule {
  double rate_decay = 0;  ///< how the learning rate falls with the steps made
  double epsilon = 1e-10;
  double weight_decay = 0;
};

/// One step of Adagrad (Duchi, Hazan, Singer 2011) with the formulas of torch.optim.Adagrad:
///
///     step += 1
///     g = gradient + weight_decay * parameter
///     sum += g * g
///     parameter -= learning_rate / (1 + (step - 1) * rate_decay) * g / (sqrt(sum) + epsilon)
///
/// Inputs: parameter, gradient, sum, learning rate, step.
class ESPALIER_API AdagradStep final : public OperationOf<AdagradStep> {
 public:
  static constexpr std::string_view kName = "adagrad_step";
  static KernelSlot slot;

  explicit AdagradStep(const AdagradRule& rule) : rule_(rule) {}
  const AdagradRule& rule() const noexcept { return rule_; }
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  bool differentiable(int) const override { return false; }
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
  void visit_attributes(AttributeVisitor& visit) override {
    visit("rate_decay", rule_.rate_decay);
    visit("epsilon", rule_.epsilon);
    visit("weight_decay", rule_.weight_decay);
  }

 private:
  AdagradRule rule_;
};

/// Updates `parameter`, `sum` and `step`. Throws ValueError for a negative step.
ESPALIER_API void adagrad_step_(const Tensor& parameter, const Tensor& gradient, const Tensor& sum,
                                const Tensor& learning_rate, const Tensor& step, const AdagradRule& rule);

/// How Adadelta moves a parameter; the defaults are PyTorch's.
struct AdadeltaRule {
  double rho = 0.9;  ///< how much of the mean squares is kept
  double epsilon = 1e-6;
  double weight_decay = 0;
};

/// One step of Adadelta (Zeiler 2012) with the formulas of torch.optim.Adadelta:
///
///     g = gradient + weight_decay * parameter
///     square = rho * square + (1 - rho) * g * g
///     change = sqrt(change_square + epsilon) / sqrt(square + epsilon) * g
///     change_square = rho * change_square + (1 - rho) * change * change
///     parameter -= learning_rate * change
///
/// Inputs: parameter, gradient, square, change_square, learning rate.
class ESPALIER_API AdadeltaStep final : public OperationOf<AdadeltaStep> {
 public:
  static constexpr std::string_view kName = "adadelta_step";
  static KernelSlot slot;

  explicit AdadeltaStep(const AdadeltaRule& rule) : rule_(rule) {}
  const AdadeltaRule& rule() const noexcept { return rule_; }
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  bool differentiable(int) const override { return false; }
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
  void visit_attributes(AttributeVisitor& visit) override {
    visit("rho", rule_.rho);
    visit("epsilon", rule_.epsilon);
    visit("weight_decay", rule_.weight_decay);
  }

 private:
  AdadeltaRule rule_;
};

/// Updates `parameter`, `square` and `change_square`, which begin with zeros.
ESPALIER_API void adadelta_step_(const Tensor& parameter, const Tensor& gradient, const Tensor& square,
                                 const Tensor& change_square, const Tensor& learning_rate,
                                 const AdadeltaRule& rule);

/// How Lion moves a parameter; the defaults are the paper's.
struct LionRule {
  double beta2 = 0.99;  ///< how much of the mean is kept
  double weight_decay = 0;
};

/// One step of Lion (Chen et al., "Symbolic discovery of optimization algorithms", 2023):
///
///     direction = sign(beta1 * mean + (1 - beta1) * gradient)
///     parameter -= learning_rate * (direction + weight_decay * parameter)
///     mean = beta2 * mean + (1 - beta2) * gradient
///
/// The sign of 0 is 0 and that of NaN is NaN: a gradient that is none shows in the parameter.
///
/// Inputs: parameter, gradient, mean, learning rate, beta1.
class ESPALIER_API LionStep final : public OperationOf<LionStep> {
 public:
  static constexpr std::string_view kName = "lion_step";
  static KernelSlot slot;

  explicit LionStep(const LionRule& rule) : rule_(rule) {}
  const LionRule& rule() const noexcept { return rule_; }
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  bool differentiable(int) const override { return false; }
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
  void visit_attributes(AttributeVisitor& visit) override {
    visit("beta2", rule_.beta2);
    visit("weight_decay", rule_.weight_decay);
  }

 private:
  LionRule rule_;
};

/// Updates `parameter` and `mean`, which begins with zeros.
ESPALIER_API void lion_step_(const Tensor& parameter, const Tensor& gradient, const Tensor& mean,
                             const Tensor& learning_rate, const Tensor& beta1, const LionRule& rule);

/// One step of an exponential moving average: average += rate * (value - average).
///
/// Inputs: average, value, rate.
class ESPALIER_API AverageStep final : public OperationOf<AverageStep> {
 public:
  static constexpr std::string_view kName = "average_step";
  static KernelSlot slot;

  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  bool differentiable(int) const override { return false; }
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
};

/// Moves `average` towards `value`: at rate 0 it stays, at rate 1 it becomes the value.
ESPALIER_API void average_step_(const Tensor& average, const Tensor& value, const Tensor& rate);

}  // namespace espalier
