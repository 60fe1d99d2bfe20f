#pragma once

#include "core/door.h"
#include "ops/elementwise.h"

namespace espalier {

/// The Gaussian error linear unit in its tanh form, element by element, of floating types:
/// y = x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) (Hendrycks & Gimpel, "Gaussian Error Linear Units",
/// arXiv:1606.08415, 2016; torch.nn.functional.gelu with approximate="tanh"). It is 0 for -infinity.
class ESPALIER_API Gelu final : public OperationOf<Gelu, Elementwise<ElementTypes::floating>> {
 public:
  static constexpr std::string_view kName = "gelu";
  static KernelSlot slot;

  Tensors backward(const BackwardContext& context) const override;
  bool decomposable() const override { return true; }
  Tensors decompose(Inputs inputs) const override;
};

/// The gradient of gelu with respect to x. Inputs: g, which came for y, and x. Second derivatives go through
/// Gelu::decompose.
class ESPALIER_API GeluBackward final
    : public OperationOf<GeluBackward, Elementwise<ElementTypes::floating>> {
 public:
  static constexpr std::string_view kName = "gelu_backward";
  static KernelSlot slot;
};

/// gelu(x); integers and bools as f32.
ESPALIER_API Tensor gelu(const Tensor& x);

}  // namespace espalier
