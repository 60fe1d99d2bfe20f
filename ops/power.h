#pragma once

#include "core/door.h"
#include "core/scalar.h"
#include "ops/elementwise.h"

namespace espalier {

/// a^b, element by element, with broadcasting. Any type but bool. Special cases are those of pow in C99
/// (annex F.9.4.4): a^0 = 1^b = 1 also for NaN, a negative number to a fraction is NaN. An exponent without
/// axes that is 0.5 is a square root, so that (-0)^0.5 = -0 and (-infinity)^0.5 is NaN, as in PyTorch.
/// Integers wrap; to a negative exponent 1 and -1 give 1 or -1, all others 0.
///
/// The gradient with respect to a is 0 where b is 0; that with respect to b is 0 where a is 0 and b not
/// negative, and NaN where a is negative.
class ESPALIER_API Power final : public OperationOf<Power, Elementwise<ElementTypes::numbers>> {
 public:
  static constexpr std::string_view kName = "power";
  static KernelSlot slot;

  AutocastRule autocast_rule() const override { return AutocastRule::widen; }
  Tensors backward(const BackwardContext& context) const override;
};

/// The gradient of power with respect to a: g b a^(b - 1), 0 where b is 0. Inputs: g, a, b.
class ESPALIER_API PowerBackward final
    : public OperationOf<PowerBackward, Elementwise<ElementTypes::floating>> {
 public:
  static constexpr std::string_view kName = "power_backward";
  static KernelSlot slot;

  Tensors backward(const BackwardContext& context) const override;
};

/// a^b. Shapes and types as in add(). Exponents without axes (numbers) of 0, 1, 2, 3, 0.5, -0.5, -1 and -2
/// are products, roots and quotients; others cost about as much as an exponential and a logarithm. Throws
/// TypeError where both are bool, ValueError for integers to a negative integer number.
ESPALIER_API Tensor power(const Tensor& a, const Tensor& b);
ESPALIER_API Tensor power(const Tensor& a, Scalar b);
ESPALIER_API Tensor power(Scalar a, const Tensor& b);

}  // namespace espalier
