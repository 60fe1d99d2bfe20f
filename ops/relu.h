#pragma once

#include "core/door.h"
#include "ops/elementwise.h"

namespace espalier {

/// max(x, 0), element by element (Nair & Hinton, "Rectified Linear Units Improve Restricted Boltzmann
/// Machines", ICML 2010). Any type but bool; NaN stays NaN. The derivative at 0 is 0.
class ESPALIER_API Relu final : public OperationOf<Relu, Elementwise<ElementTypes::numbers>> {
 public:
  static constexpr std::string_view kName = "relu";
  static KernelSlot slot;

  Tensors backward(const BackwardContext& context) const override;
  /// The output alone tells where x > 0, so the input need not be kept.
  SavedForBackward saved_for_backward() const override { return {.inputs = 0, .outputs = 1}; }
};

/// The gradient of relu with respect to x: g where y > 0 (or NaN), else 0. Inputs: g, which came for y, and
/// y.
class ESPALIER_API ReluBackward final
    : public OperationOf<ReluBackward, Elementwise<ElementTypes::floating>> {
 public:
  static constexpr std::string_view kName = "relu_backward";
  static KernelSlot slot;

  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0b10, .outputs = 0}; }
};

/// max(x, 0). Throws TypeError for bool.
ESPALIER_API Tensor relu(const Tensor& x);

}  // namespace espalier
