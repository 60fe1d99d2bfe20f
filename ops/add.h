#pragma once

#include "core/door.h"
#include "core/scalar.h"
#include "ops/elementwise.h"

namespace espalier {

/// Element-by-element sum, a + b, with broadcasting. Any type; bool adds as "or", integers wrap.
class ESPALIER_API Add final : public OperationOf<Add, Elementwise<>> {
 public:
  static constexpr std::string_view kName = "add";
  static KernelSlot slot;

  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0, .outputs = 0}; }
};

/// a + b. The shapes broadcast by NumPy's rules, the types promote by PyTorch's (promote_types; a number
/// weighs less than any tensor). Throws ShapeError where the shapes do not agree, TypeError where the types
/// do not.
ESPALIER_API Tensor add(const Tensor& a, const Tensor& b);
ESPALIER_API Tensor add(const Tensor& a, Scalar b);
inline Tensor operator+(const Tensor& a, const Tensor& b) {
  return add(a, b);
}
inline Tensor operator+(const Tensor& a, Scalar b) {
  return add(a, b);
}
inline Tensor operator+(Scalar a, const Tensor& b) {
  return add(b, a);
}

}  // namespace espalier
