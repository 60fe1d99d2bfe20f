#pragma once

#include "core/door.h"

namespace espalier {

/// What batch_norm may be told.
struct BatchNormOptions {
  bool training = false;  ///< normalise with the batch's own statistics, and move the running ones
  double momentum = 0.1;  ///< weight of the batch in the running statistics
  double eps = 1e-5;      ///< added to the variance
};

/// Batch normalisation (Ioffe and Szegedy, 2015, arXiv:1502.03167), fused: each channel (axis 1) shifted and
/// scaled to mean 0 and variance 1, then y = (x - mean) / sqrt(variance + eps) * weight + bias. Inputs x,
/// weight, bias, running_mean, running_var; all but x may be absent. Outputs y, the mean and 1 /
/// sqrt(variance
/// + eps) that were used ([2, C], for backward) and, where training moves them, the running statistics.
class ESPALIER_API BatchNorm final : public OperationOf<BatchNorm> {
 public:
  static constexpr std::string_view kName = "batch_norm";
  static KernelSlot slot;

  AutocastRule autocast_rule() const override { return AutocastRule::widen; }
  explicit BatchNorm(const BatchNormOptions& options) : options_(options) {}
  const BatchNormOptions& options() const noexcept { return options_; }
  uint32_t optional_inputs() const override { return 0b11110; }
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override;
  bool differentiable(int output) const override { return output == 0; }
  bool decomposable() const override { return true; }
  Tensors decompose(Inputs inputs) const override;
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
  void visit_attributes(AttributeVisitor& visit) override {
    visit("training", options_.training);
    visit("momentum", options_.momentum);
    visit("eps", options_.eps);
  }

 private:
  BatchNormOptions options_;
};

/// The gradients of batch normalisation. Inputs: the gradient of y, x, weight (may be absent), and the
/// statistics that BatchNorm put out. Outputs: the gradients of weight and bias and, where wanted, of x.
/// Second derivatives are taken through BatchNorm::decompose.
class ESPALIER_API BatchNormBackward final : public OperationOf<BatchNormBackward> {
 public:
  static constexpr std::string_view kName = "batch_norm_backward";
  static KernelSlot slot;

  /// `batch_statistics`: whether the statistics were the batch's own, so that they move with x.
  BatchNormBackward(bool batch_statistics, bool wants_input)
      : batch_statistics_(batch_statistics), wants_input_(wants_input) {}
  bool batch_statistics() const noexcept { return batch_statistics_; }
  uint32_t optional_inputs() const override { return 0b100; }
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  void visit_attributes(AttributeVisitor& visit) override {
    visit("batch_statistics", batch_statistics_);
    visit("wants_input", wants_input_);
  }

 private:
  bool batch_statistics_;
  bool wants_input_;
};

/// Batch normalisation of `x`, [N, C] or [N, C, ...], channel by channel; the result lies in memory as `x`
/// does. `weight`, `bias` and the running statistics, [C] each, are of x's type or f32, and may be absent
/// (undefined), the running statistics only together and only in training.
///
/// In training the statistics are those of the batch (the variance with divisor n), and running = (1 -
/// momentum) * running + momentum * batch in place (the variance with divisor n - 1); otherwise they are the
/// running ones. Throws ShapeError for other ranks and sizes, TypeError unless x is f64, f32, f16 or bf16,
/// ValueError for training with a single value a channel, for evaluation without running statistics, for a
/// negative or non-finite eps and a momentum outside [0, 1].
ESPALIER_API Tensor batch_norm(const Tensor& x, const Tensor& weight, const Tensor& bias,
                               const Tensor& running_mean, const Tensor& running_var,
                               const BatchNormOptions& options = {});

}  // namespace espalier
