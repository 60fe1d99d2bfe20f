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

/// x where it is positive, else slope x, element by element, of floating types (Maas, Hannun, Ng, "Rectifier
/// Nonlinearities Improve Neural Network Acoustic Models", 2013). The derivative at 0 is `slope`.
class ESPALIER_API LeakyRelu final : public OperationOf<LeakyRelu, Elementwise<ElementTypes::floating>> {
 public:
  static constexpr std::string_view kName = "leaky_relu";
  static KernelSlot slot;

  explicit LeakyRelu(double slope) : slope_(slope) {}
  double slope() const noexcept { return slope_; }
  Tensors backward(const BackwardContext& context) const override;
  void visit_attributes(AttributeVisitor& visit) override { visit("slope", slope_); }

 private:
  double slope_;
};

/// The gradient of leaky_relu with respect to x: g where x > 0, else slope g. Inputs: g, which came for y,
/// and x.
class ESPALIER_API LeakyReluBackward final
    : public OperationOf<LeakyReluBackward, Elementwise<ElementTypes::floating>> {
 public:
  static constexpr std::string_view kName = "leaky_relu_backward";
  static KernelSlot slot;

  explicit LeakyReluBackward(double slope) : slope_(slope) {}
  double slope() const noexcept { return slope_; }
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0b10, .outputs = 0}; }
  void visit_attributes(AttributeVisitor& visit) override { visit("slope", slope_); }

 private:
  double slope_;
};

/// max(x, 0). Throws TypeError for bool.
ESPALIER_API Tensor relu(const Tensor& x);
/// x where it is positive, else slope x, which may be any number; integers and bools as f32.
ESPALIER_API Tensor leaky_relu(const Tensor& x, double slope = 0.01);

}  // namespace espalier
