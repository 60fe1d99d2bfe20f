#pragma once

#include "core/door.h"
#include "ops/elementwise.h"

namespace espalier {

/// |x|, element by element. Any type but bool; the most negative integer stays as it is. The derivative at 0
/// is 0.
class ESPALIER_API Abs final : public OperationOf<Abs, Elementwise<ElementTypes::numbers>> {
 public:
  static constexpr std::string_view kName = "abs";
  static KernelSlot slot;

  Tensors backward(const BackwardContext& context) const override;
};

/// The gradient of abs with respect to x: g with the sign of x turned in, 0 where x is 0. Inputs: g, x.
class ESPALIER_API AbsBackward final : public OperationOf<AbsBackward, Elementwise<ElementTypes::floating>> {
 public:
  static constexpr std::string_view kName = "abs_backward";
  static KernelSlot slot;

  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0b10, .outputs = 0}; }
};

/// |x|. Throws TypeError for bool.
ESPALIER_API Tensor abs(const Tensor& x);

}  // namespace espalier
