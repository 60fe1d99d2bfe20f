#pragma once

#include "core/door.h"

namespace espalier {

/// y = x W^T + b: x [..., in], W [out, in], b [out] or absent, y [..., out].
class ESPALIER_API Linear final : public OperationOf<Linear> {
 public:
  static constexpr std::string_view kName = "linear";
  static KernelSlot slot;

  AutocastRule autocast_rule() const override { return AutocastRule::narrow; }
  uint32_t optional_inputs() const override { return 0b100; }
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0b011, .outputs = 0}; }
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
};

/// The gradients of linear that are wanted, in the order dx = dy W, dW = dy^T x, db = sum of dy over all axes
/// but the last. Inputs: dy; x where dW is wanted; W where dx is wanted. The others may be absent.
class ESPALIER_API LinearBackward final : public OperationOf<LinearBackward> {
 public:
  static constexpr std::string_view kName = "linear_backward";
  static KernelSlot slot;

  LinearBackward(bool wants_x, bool wants_weight, bool wants_bias)
      : wants_{wants_x, wants_weight, wants_bias} {}
  bool wants(int input) const noexcept { return wants_[input]; }
  uint32_t optional_inputs() const override { return (wants(1) ? 0u : 0b010u) | (wants(0) ? 0u : 0b100u); }
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
  void visit_attributes(AttributeVisitor& visit) override { visit("wants", std::span<bool>(wants_)); }

 private:
  bool wants_[3];
};

/// x W^T + bias, for any number of leading axes of `x`. Throws ShapeError unless `x` is [..., in], `weight`
/// [out, in] and `bias` [out] or undefined; TypeError where they are not of one floating type.
ESPALIER_API Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {});

}  // namespace espalier
