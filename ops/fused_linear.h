#pragma once

#include "core/door.h"
#include "ops/activation.h"

namespace espalier {

/// A linear layer with what follows it, for inference: y = activation(x W^T + b + residual). Inputs as
/// Linear's, and the residual, [..., out] row-major, which is updated in place; bias and residual may be
/// absent. Without a residual the output is new. Not differentiable.
class ESPALIER_API FusedLinear final : public OperationOf<FusedLinear> {
 public:
  static constexpr std::string_view kName = "fused_linear";
  static KernelSlot slot;

  explicit FusedLinear(Activation activation = Activation::none) : activation_(activation) {}
  Activation activation() const noexcept { return activation_; }
  uint32_t optional_inputs() const override { return 0b1100; }
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  bool differentiable(int) const override { return false; }
  bool decomposable() const override { return true; }
  Tensors decompose(Inputs inputs) const override;
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
  void visit_attributes(AttributeVisitor& visit) override { visit("activation", activation_); }

 private:
  Activation activation_;
};

/// activation(linear(x, weight, bias) + residual); a residual is overwritten with the result. Throws what
/// linear() throws, ShapeError for a residual that is not row-major or not of the result's shape, TypeError
/// for one of another type.
ESPALIER_API Tensor fused_linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
                                 const Tensor& residual = {}, Activation activation = Activation::none);

}  // namespace espalier
