#pragma once

#include "core/door.h"
#include "ops/elementwise.h"

namespace espalier {

/// x sigmoid(x), also called swish, element by element, of floating types (Elfwing, Uchibe, Doya,
/// "Sigmoid-Weighted Linear Units for Neural Network Function Approximation", arXiv:1702.03118, 2017). NaN
/// for -infinity.
class ESPALIER_API Silu final : public OperationOf<Silu, Elementwise<ElementTypes::floating>> {
 public:
  static constexpr std::string_view kName = "silu";
  static KernelSlot slot;

  Tensors backward(const BackwardContext& context) const override;
  bool decomposable() const override { return true; }
  Tensors decompose(Inputs inputs) const override;
};

/// The gradient of silu with respect to x. Inputs: g, which came for y, and x. Second derivatives go through
/// Silu::decompose.
class ESPALIER_API SiluBackward final
    : public OperationOf<SiluBackward, Elementwise<ElementTypes::floating>> {
 public:
  static constexpr std::string_view kName = "silu_backward";
  static KernelSlot slot;
};

/// x tanh(softplus(x)), element by element, of floating types (Misra, "Mish: A Self Regularized Non-Monotonic
/// Activation Function", arXiv:1908.08681, 2019). NaN for -infinity.
class ESPALIER_API Mish final : public OperationOf<Mish, Elementwise<ElementTypes::floating>> {
 public:
  static constexpr std::string_view kName = "mish";
  static KernelSlot slot;

  Tensors backward(const BackwardContext& context) const override;
  bool decomposable() const override { return true; }
  Tensors decompose(Inputs inputs) const override;
};

/// The gradient of mish with respect to x. Inputs: g, which came for y, and x. Second derivatives go through
/// Mish::decompose.
class ESPALIER_API MishBackward final
    : public OperationOf<MishBackward, Elementwise<ElementTypes::floating>> {
 public:
  static constexpr std::string_view kName = "mish_backward";
  static KernelSlot slot;
};

/// x sigmoid(x); integers and bools as f32.
ESPALIER_API Tensor silu(const Tensor& x);
/// x tanh(softplus(x)), likewise.
ESPALIER_API Tensor mish(const Tensor& x);

}  // namespace espalier
