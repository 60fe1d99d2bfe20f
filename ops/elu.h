#pragma once

#include "core/door.h"
#include "ops/elementwise.h"

namespace espalier {

/// scale x where x is positive, else scale alpha (e^(rate x) - 1), element by element, of floating types:
/// what elu, celu and selu have in common. The derivative at 0 is that from below.
class ESPALIER_API Elu final : public OperationOf<Elu, Elementwise<ElementTypes::floating>> {
 public:
  static constexpr std::string_view kName = "elu";
  static KernelSlot slot;

  explicit Elu(double alpha, double scale = 1, double rate = 1) : alpha_(alpha), scale_(scale), rate_(rate) {}
  double alpha() const noexcept { return alpha_; }
  double scale() const noexcept { return scale_; }
  double rate() const noexcept { return rate_; }
  Tensors backward(const BackwardContext& context) const override;
  void visit_attributes(AttributeVisitor& visit) override {
    visit("alpha", alpha_);
    visit("scale", scale_);
    visit("rate", rate_);
  }

 private:
  double alpha_, scale_, rate_;
};

/// g above where x > 0, else g below e^(rate x): the gradient of elu with respect to x with above = scale and
/// below = scale alpha rate, and, with others, its further derivatives. Inputs: g, which came for y, and x.
class ESPALIER_API EluBackward final : public OperationOf<EluBackward, Elementwise<ElementTypes::floating>> {
 public:
  static constexpr std::string_view kName = "elu_backward";
  static KernelSlot slot;

  EluBackward(double above, double below, double rate) : above_(above), below_(below), rate_(rate) {}
  double above() const noexcept { return above_; }
  double below() const noexcept { return below_; }
  double rate() const noexcept { return rate_; }
  Tensors backward(const BackwardContext& context) const override;
  void visit_attributes(AttributeVisitor& visit) override {
    visit("above", above_);
    visit("below", below_);
    visit("rate", rate_);
  }

 private:
  double above_, below_, rate_;
};

/// The exponential linear unit, x where it is positive, else alpha (e^x - 1) (Clevert, Unterthiner,
/// Hochreiter, "Fast and Accurate Deep Network Learning by Exponential Linear Units", arXiv:1511.07289,
/// 2015); integers and bools as f32.
ESPALIER_API Tensor elu(const Tensor& x, double alpha = 1);

/// The same with alpha (e^(x / alpha) - 1), whose derivative is continuous (Barron, "Continuously
/// Differentiable Exponential Linear Units", arXiv:1704.07483, 2017). Throws ValueError for alpha = 0.
ESPALIER_API Tensor celu(const Tensor& x, double alpha = 1);

/// elu scaled so that activations keep mean 0 and variance 1 from layer to layer (Klambauer et al.,
/// "Self-Normalizing Neural Networks", arXiv:1706.02515, 2017).
ESPALIER_API Tensor selu(const Tensor& x);

}  // namespace espalier
