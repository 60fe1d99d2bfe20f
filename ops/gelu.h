#pragma once

#include "core/door.h"
#include "ops/elementwise.h"

namespace espalier {

/// How gelu computes the normal distribution's Phi(x).
enum class GeluForm : uint8_t {
  tanh,  ///< (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) / 2, within 2e-4; PyTorch's approximate="tanh"
  erf,   ///< (1 + erf(x / sqrt 2)) / 2, which is exact; PyTorch's approximate="none", its default
};
ESPALIER_API void visit_attribute(AttributeVisitor& visit, std::string_view name, GeluForm& form);

/// The Gaussian error linear unit x Phi(x), element by element, of floating types (Hendrycks & Gimpel,
/// "Gaussian Error Linear Units", arXiv:1606.08415, 2016). It is 0 for -infinity.
class ESPALIER_API Gelu final : public OperationOf<Gelu, Elementwise<ElementTypes::floating>> {
 public:
  static constexpr std::string_view kName = "gelu";
  static KernelSlot slot;

  explicit Gelu(GeluForm form = GeluForm::tanh) : form_(form) {}
  GeluForm form() const noexcept { return form_; }
  Tensors backward(const BackwardContext& context) const override;
  bool decomposable() const override { return true; }
  Tensors decompose(Inputs inputs) const override;
  void visit_attributes(AttributeVisitor& visit) override { visit("form", form_); }

 private:
  GeluForm form_;
};

/// The gradient of gelu with respect to x. Inputs: g, which came for y, and x. Second derivatives go through
/// Gelu::decompose.
class ESPALIER_API GeluBackward final
    : public OperationOf<GeluBackward, Elementwise<ElementTypes::floating>> {
 public:
  static constexpr std::string_view kName = "gelu_backward";
  static KernelSlot slot;

  explicit GeluBackward(GeluForm form = GeluForm::tanh) : form_(form) {}
  GeluForm form() const noexcept { return form_; }
  void visit_attributes(AttributeVisitor& visit) override { visit("form", form_); }

 private:
  GeluForm form_;
};

/// x Phi(x) in the tanh form, which GPT-2 has; integers and bools as f32.
ESPALIER_API Tensor gelu(const Tensor& x);
/// x Phi(x) in the exact form, likewise. (A function of its own, so that either can be named where a layer is
/// expected.)
ESPALIER_API Tensor gelu_exact(const Tensor& x);

}  // namespace espalier
