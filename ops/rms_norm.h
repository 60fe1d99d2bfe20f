#pragma once

#include <optional>

#include "core/door.h"

namespace espalier {

/// Root-mean-square normalisation over the last axes (Zhang and Sennrich, 2019, arXiv:1910.07467): y = x /
/// sqrt(mean of x^2 + epsilon) * weight. Inputs: x, and weight, which has the shape of the normalised axes or
/// is absent (1). Outputs: y, and for backward 1 / sqrt(mean of x^2 + epsilon) of each row, in f32 where x is
/// narrower.
class ESPALIER_API RmsNorm final : public OperationOf<RmsNorm> {
 public:
  static constexpr std::string_view kName = "rms_norm";
  static KernelSlot slot;

  AutocastRule autocast_rule() const override { return AutocastRule::widen; }
  /// Normalises over the last `axes` axes, 1 or more.
  RmsNorm(int axes, double epsilon) : axes_(axes), epsilon_(epsilon) {}
  double epsilon() const noexcept { return epsilon_; }
  uint32_t optional_inputs() const override { return 0b10; }
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0b11, .outputs = 0b10}; }
  bool differentiable(int output) const override { return output == 0; }
  bool decomposable() const override { return true; }
  Tensors decompose(Inputs inputs) const override;
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
  void visit_attributes(AttributeVisitor& visit) override {
    visit("axes", axes_);
    visit("epsilon", epsilon_);
  }

 private:
  int axes_;
  double epsilon_;
};

/// The gradients of rms_norm that are wanted, in the order dx, dweight. With s the saved scale, h = x s and g
/// = dy weight: dx = s (g - h mean(g h)), dweight = sum of dy h over the rows. Inputs: dy, x, weight (may be
/// absent), s.
class ESPALIER_API RmsNormBackward final : public OperationOf<RmsNormBackward> {
 public:
  static constexpr std::string_view kName = "rms_norm_backward";
  static KernelSlot slot;

  RmsNormBackward(int axes, bool wants_x, bool wants_weight) : axes_(axes), wants_{wants_x, wants_weight} {}
  int axes() const noexcept { return axes_; }
  bool wants(int input) const noexcept { return wants_[input]; }
  uint32_t optional_inputs() const override { return 0b100; }
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
  void visit_attributes(AttributeVisitor& visit) override {
    visit("axes", axes_);
    visit("wants", std::span<bool>(wants_));
  }

 private:
  int axes_;
  bool wants_[2];
};

/// Divides `x` by the root of its mean square over the last axes, whose sizes are `normalized_shape`, and
/// multiplies by `weight` of that shape, unless that is undefined. `epsilon` is added to the mean square; by
/// default it is PyTorch's: the distance between 1 and the next number of f64 for f64, of f32 for all others.
/// Squares are those of f32 (f64): magnitudes past 1.8e19 give 0. Throws ShapeError where the sizes do not
/// agree or `normalized_shape` is empty, TypeError where not all are of one type out of f64, f32, f16 and
/// bf16, ValueError unless `epsilon` is at least 0.
ESPALIER_API Tensor rms_norm(const Tensor& x, const Shape& normalized_shape, const Tensor& weight = {},
                             std::optional<double> epsilon = {});

}  // namespace espalier
