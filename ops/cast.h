#pragma once

#include "core/door.h"

namespace espalier {

/// Converts the elements to another type. Floating to integer truncates towards zero, and is undefined
/// outside the integer's range; to bool is "not zero".
class ESPALIER_API Cast final : public OperationOf<Cast> {
 public:
  static constexpr std::string_view kName = "cast";
  static KernelSlot slot;

  explicit Cast(Dtype dtype) : dtype_(dtype) {}
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0, .outputs = 0}; }
  bool differentiable(int) const override { return is_floating(dtype_); }
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
  void visit_attributes(AttributeVisitor& visit) override { visit("dtype", dtype_); }

 private:
  Dtype dtype_;
};

/// `input` with its elements converted to `dtype`; the same tensor where it has that type.
ESPALIER_API Tensor cast(const Tensor& input, Dtype dtype);

}  // namespace espalier
