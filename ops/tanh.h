#pragma once

#include "core/door.h"
#include "ops/elementwise.h"

namespace espalier {

/// The hyperbolic tangent, element by element, of floating types.
class ESPALIER_API Tanh final : public OperationOf<Tanh, Elementwise<ElementTypes::floating>> {
 public:
  static constexpr std::string_view kName = "tanh";
  static KernelSlot slot;

  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0, .outputs = 1}; }
};

/// The gradient of tanh with respect to x: g (1 - y^2). Inputs: g, which came for y, and y.
class ESPALIER_API TanhBackward final
    : public OperationOf<TanhBackward, Elementwise<ElementTypes::floating>> {
 public:
  static constexpr std::string_view kName = "tanh_backward";
  static KernelSlot slot;

  Tensors backward(const BackwardContext& context) const override;
};

/// tanh x; integers and bools as f32.
ESPALIER_API Tensor tanh(const Tensor& x);

}  // namespace espalier
