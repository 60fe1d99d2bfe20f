#pragma once

#include "core/door.h"
#include "core/scalar.h"
#include "ops/elementwise.h"

namespace espalier {

/// Element-by-element difference, a - b, with broadcasting. Any type but bool; integers wrap.
class ESPALIER_API Subtract final : public OperationOf<Subtract, Elementwise<ElementTypes::numbers>> {
 public:
  static constexpr std::string_view kName = "subtract";
  static KernelSlot slot;

  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0, .outputs = 0}; }
};

/// a - b. Shapes and types as in add(); throws TypeError for two bools, too.
ESPALIER_API Tensor subtract(const Tensor& a, const Tensor& b);
ESPALIER_API Tensor subtract(const Tensor& a, Scalar b);
ESPALIER_API Tensor subtract(Scalar a, const Tensor& b);
inline Tensor operator-(const Tensor& a, const Tensor& b) {
  return subtract(a, b);
}
inline Tensor operator-(const Tensor& a, Scalar b) {
  return subtract(a, b);
}
inline Tensor operator-(Scalar a, const Tensor& b) {
  return subtract(a, b);
}

}  // namespace espalier
