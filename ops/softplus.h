#pragma once

#include "core/door.h"
#include "ops/elementwise.h"

namespace espalier {

/// ln(1 + e^(beta x)) / beta, or x itself where beta x > threshold, element by element, of floating types
/// (Dugas et al., "Incorporating Second-Order Functional Knowledge for Better Option Pricing", NIPS 2000).
class ESPALIER_API Softplus final : public OperationOf<Softplus, Elementwise<ElementTypes::floating>> {
 public:
  static constexpr std::string_view kName = "softplus";
  static KernelSlot slot;

  /// Throws ValueError for beta = 0.
  explicit Softplus(double beta = 1, double threshold = 20);
  double beta() const noexcept { return beta_; }
  double threshold() const noexcept { return threshold_; }
  Tensors backward(const BackwardContext& context) const override;
  void visit_attributes(AttributeVisitor& visit) override {
    visit("beta", beta_);
    visit("threshold", threshold_);
    *this = Softplus(beta_, threshold_);  // which checks them
  }

 private:
  double beta_, threshold_;
};

/// The gradient of softplus with respect to x: g sigmoid(beta x), or g where beta x > threshold. Inputs: g,
/// which came for y, and x.
class ESPALIER_API SoftplusBackward final
    : public OperationOf<SoftplusBackward, Elementwise<ElementTypes::floating>> {
 public:
  static constexpr std::string_view kName = "softplus_backward";
  static KernelSlot slot;

  explicit SoftplusBackward(double beta = 1, double threshold = 20) : beta_(beta), threshold_(threshold) {}
  double beta() const noexcept { return beta_; }
  double threshold() const noexcept { return threshold_; }
  Tensors backward(const BackwardContext& context) const override;
  void visit_attributes(AttributeVisitor& visit) override {
    visit("beta", beta_);
    visit("threshold", threshold_);
  }

 private:
  double beta_, threshold_;
};

/// ln sigmoid(x) = -ln(1 + e^-x), element by element, of floating types: precise and finite for any number.
class ESPALIER_API LogSigmoid final : public OperationOf<LogSigmoid, Elementwise<ElementTypes::floating>> {
 public:
  static constexpr std::string_view kName = "log_sigmoid";
  static KernelSlot slot;

  Tensors backward(const BackwardContext& context) const override;
};

/// The gradient of log_sigmoid with respect to x: g sigmoid(-x). Inputs: g, which came for y, and x.
class ESPALIER_API LogSigmoidBackward final
    : public OperationOf<LogSigmoidBackward, Elementwise<ElementTypes::floating>> {
 public:
  static constexpr std::string_view kName = "log_sigmoid_backward";
  static KernelSlot slot;

  Tensors backward(const BackwardContext& context) const override;
};

/// ln(1 + e^(beta x)) / beta, or x where beta x > threshold; integers and bools as f32. Throws ValueError for
/// beta = 0.
ESPALIER_API Tensor softplus(const Tensor& x, double beta = 1, double threshold = 20);
/// ln sigmoid(x); integers and bools as f32.
ESPALIER_API Tensor log_sigmoid(const Tensor& x);

}  // namespace espalier
