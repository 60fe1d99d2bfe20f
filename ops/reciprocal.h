#pragma once

#include "core/door.h"
#include "ops/elementwise.h"

namespace espalier {

/// 1 / x, element by element, of floating types: the infinity of the same sign for 0 and -0.
class ESPALIER_API Reciprocal final : public OperationOf<Reciprocal, Elementwise<ElementTypes::floating>> {
 public:
  static constexpr std::string_view kName = "reciprocal";
  static KernelSlot slot;

  AutocastRule autocast_rule() const override { return AutocastRule::widen; }
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0, .outputs = 1}; }
};

/// 1 / sqrt(x), element by element, of floating types: the infinity of the same sign for 0 and -0, NaN for
/// negative numbers.
class ESPALIER_API Rsqrt final : public OperationOf<Rsqrt, Elementwise<ElementTypes::floating>> {
 public:
  static constexpr std::string_view kName = "rsqrt";
  static KernelSlot slot;

  AutocastRule autocast_rule() const override { return AutocastRule::widen; }
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0, .outputs = 1}; }
};

/// 1 / x; integers and bools as f32.
ESPALIER_API Tensor reciprocal(const Tensor& x);
/// 1 / sqrt(x), likewise.
ESPALIER_API Tensor rsqrt(const Tensor& x);

}  // namespace espalier
