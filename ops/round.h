#pragma once

#include "core/door.h"
#include "ops/elementwise.h"

namespace espalier {

/// Functions, element by element, that are constant but for jumps: their gradient is 0 everywhere, at the
/// jumps too. It is there all the same (a tensor of zeros), so that what they are part of can be trained.
template <ElementTypes types>
class ElementwiseSteps : public Elementwise<types> {
 public:
  Tensors backward(const BackwardContext& context) const override {
    const Tensor& gradient = context.gradient(0);
    return {zeros(gradient.shape(), gradient.dtype(), gradient.device())};
  }
  SavedForBackward saved_for_backward() const override { return {.inputs = 0, .outputs = 0}; }
};

/// The largest integer that is not above x. Any type but bool; integers stay as they are, and so do NaN,
/// infinities and the sign of zero.
class ESPALIER_API Floor final : public OperationOf<Floor, ElementwiseSteps<ElementTypes::numbers>> {
 public:
  static constexpr std::string_view kName = "floor";
  static KernelSlot slot;
};

/// The smallest integer that is not below x. Any type but bool; integers stay as they are, and so do NaN,
/// infinities and the sign of zero.
class ESPALIER_API Ceil final : public OperationOf<Ceil, ElementwiseSteps<ElementTypes::numbers>> {
 public:
  static constexpr std::string_view kName = "ceil";
  static KernelSlot slot;
};

/// The integer nearest to x, of two the even one. Any type but bool; integers stay as they are, and so do
/// NaN, infinities and the sign of zero.
class ESPALIER_API Round final : public OperationOf<Round, ElementwiseSteps<ElementTypes::numbers>> {
 public:
  static constexpr std::string_view kName = "round";
  static KernelSlot slot;
};

/// x without its fraction: the next integer towards 0. Any type but bool; integers stay as they are, and so
/// do NaN, infinities and the sign of zero.
class ESPALIER_API Trunc final : public OperationOf<Trunc, ElementwiseSteps<ElementTypes::numbers>> {
 public:
  static constexpr std::string_view kName = "trunc";
  static KernelSlot slot;
};

/// 1 for positive numbers, -1 for negative ones, 0 for zeros and, as in torch.sign, NaN. Any type; a bool
/// stays as it is.
class ESPALIER_API Sign final : public OperationOf<Sign, ElementwiseSteps<ElementTypes::all>> {
 public:
  static constexpr std::string_view kName = "sign";
  static KernelSlot slot;
};

/// x rounded down. Throws TypeError for bool, as the others do.
ESPALIER_API Tensor floor(const Tensor& x);
/// x rounded up.
ESPALIER_API Tensor ceil(const Tensor& x);
/// x rounded to the nearest integer, halves to the even one: 0.5 to 0, 1.5 and 2.5 to 2.
ESPALIER_API Tensor round(const Tensor& x);
/// x rounded towards 0.
ESPALIER_API Tensor trunc(const Tensor& x);
/// The sign of x: -1, 0 or 1.
ESPALIER_API Tensor sign(const Tensor& x);

}  // namespace espalier
