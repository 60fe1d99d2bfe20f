#pragma once

#include "core/door.h"
#include "core/scalar.h"
#include "ops/elementwise.h"

namespace espalier {

/// Element-by-element quotient, a / b, with broadcasting, of floating types. Division by zero gives
/// infinities and NaN as IEEE 754 says.
class ESPALIER_API Divide final : public OperationOf<Divide, Elementwise<ElementTypes::floating>> {
 public:
  static constexpr std::string_view kName = "divide";
  static KernelSlot slot;

  Tensors backward(const BackwardContext& context) const override;
  /// The divisor and the quotient.
  SavedForBackward saved_for_backward() const override { return {.inputs = 0b10, .outputs = 1}; }
};

/// a / b. Shapes and types as in add(), but integers and bools divide as f32: the quotient is never rounded
/// to an integer.
ESPALIER_API Tensor divide(const Tensor& a, const Tensor& b);
ESPALIER_API Tensor divide(const Tensor& a, Scalar b);
ESPALIER_API Tensor divide(Scalar a, const Tensor& b);
inline Tensor operator/(const Tensor& a, const Tensor& b) {
  return divide(a, b);
}
inline Tensor operator/(const Tensor& a, Scalar b) {
  return divide(a, b);
}
inline Tensor operator/(Scalar a, const Tensor& b) {
  return divide(a, b);
}

}  // namespace espalier
