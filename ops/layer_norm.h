#pragma once

#include "core/door.h"

namespace espalier {

/// Layer normalisation over the last axes (Ba, Kiros, Hinton 2016): y = (x - mean) / sqrt(variance + epsilon)
/// * weight
/// + bias, the variance being that of the population. Inputs: x, weight, bias; the last two have the shape of
/// the normalised axes or are absent (1 and 0). Outputs: y, and for backward the mean and 1 / sqrt(variance +
/// epsilon) of each row, in f32 where x is narrower.
class ESPALIER_API LayerNorm final : public OperationOf<LayerNorm> {
 public:
  static constexpr std::string_view kName = "layer_norm";
  static KernelSlot slot;

  AutocastRule autocast_rule() const override { return AutocastRule::widen; }
  /// Normalises over the last `axes` axes, 1 or more.
  LayerNorm(int axes, double epsilon) : axes_(axes), epsilon_(epsilon) {}
  int axes() const noexcept { return axes_; }
  double epsilon() const noexcept { return epsilon_; }
  uint32_t optional_inputs() const override { return 0b110; }
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0b111, .outputs = 0b110}; }
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

/// The gradients of layer_norm that are wanted, in the order dx, dweight, dbias. With h = (x - mean) /
/// deviation and g = dy weight: dx = (g - mean(g) - h mean(g h)) / deviation, dweight = sum of dy h, dbias =
/// sum of dy. Inputs: dy, x, weight (may be absent), and the two saved outputs.
class ESPALIER_API LayerNormBackward final : public OperationOf<LayerNormBackward> {
 public:
  static constexpr std::string_view kName = "layer_norm_backward";
  static KernelSlot slot;

  LayerNormBackward(int axes, bool wants_x, bool wants_weight, bool wants_bias)
      : axes_(axes), wants_{wants_x, wants_weight, wants_bias} {}
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
  bool wants_[3];
};

/// Normalises `x` over its last axes, whose sizes are `normalized_shape`, and scales and shifts the result by
/// `weight` and `bias` of that shape, each of which may be undefined. Where the variance overflows,
/// normalised values are 0 (PyTorch: NaN). Throws ShapeError where the sizes do not agree or
/// `normalized_shape` is empty, TypeError where not all are of one floating type, ValueError unless `epsilon`
/// is at least 0.
ESPALIER_API Tensor layer_norm(const Tensor& x, const Shape& normalized_shape, const Tensor& weight = {},
                               const Tensor& bias = {}, double epsilon = 1e-5);

}  // namespace espalier
