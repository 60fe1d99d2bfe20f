#pragma once

#include "core/door.h"
#include "core/scalar.h"
#include "ops/elementwise.h"

namespace espalier {

/// Element-by-element product, a b, with broadcasting. Any type; bool multiplies as "and", integers wrap.
class ESPALIER_API Multiply final : public OperationOf<Multiply, Elementwise<>> {
 public:
  static constexpr std::string_view kName = "multiply";
  static KernelSlot slot;

  Tensors backward(const BackwardContext& context) const override;
};

/// a b. The shapes broadcast by NumPy's rules, the types promote by PyTorch's (promote_types; a number weighs
/// less than any tensor). Throws ShapeError where the shapes do not agree, TypeError where the types do not.
ESPALIER_API Tensor multiply(const Tensor& a, const Tensor& b);
ESPALIER_API Tensor multiply(const Tensor& a, Scalar b);
/// x x, of any type.
inline Tensor square(const Tensor& x) {
  return multiply(x, x);
}
inline Tensor operator*(const Tensor& a, const Tensor& b) {
  return multiply(a, b);
}
inline Tensor operator*(const Tensor& a, Scalar b) {
  return multiply(a, b);
}
inline Tensor operator*(Scalar a, const Tensor& b) {
  return multiply(b, a);
}

}  // namespace espalier
