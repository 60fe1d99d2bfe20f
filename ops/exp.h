#pragma once

#include "core/door.h"
#include "ops/elementwise.h"

namespace espalier {

/// e^x, element by element, of floating types.
class ESPALIER_API Exp final : public OperationOf<Exp, Elementwise<ElementTypes::floating>> {
 public:
  static constexpr std::string_view kName = "exp";
  static KernelSlot slot;

  AutocastRule autocast_rule() const override { return AutocastRule::widen; }
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0, .outputs = 1}; }
};

/// 2^x, element by element, of floating types.
class ESPALIER_API Exp2 final : public OperationOf<Exp2, Elementwise<ElementTypes::floating>> {
 public:
  static constexpr std::string_view kName = "exp2";
  static KernelSlot slot;

  AutocastRule autocast_rule() const override { return AutocastRule::widen; }
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0, .outputs = 1}; }
};

/// e^x - 1, element by element, of floating types: precise where x is near 0.
class ESPALIER_API Expm1 final : public OperationOf<Expm1, Elementwise<ElementTypes::floating>> {
 public:
  static constexpr std::string_view kName = "expm1";
  static KernelSlot slot;

  AutocastRule autocast_rule() const override { return AutocastRule::widen; }
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0, .outputs = 1}; }
};

/// e^x; integers and bools as f32.
ESPALIER_API Tensor exp(const Tensor& x);
/// 2^x, likewise.
ESPALIER_API Tensor exp2(const Tensor& x);
/// e^x - 1, likewise.
ESPALIER_API Tensor expm1(const Tensor& x);

}  // namespace espalier
