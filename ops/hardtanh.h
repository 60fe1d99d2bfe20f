#pragma once

#include "core/door.h"
#include "ops/elementwise.h"

namespace espalier {

/// x brought between two bounds, element by element, of floating types; NaN stays NaN.
class ESPALIER_API Hardtanh final : public OperationOf<Hardtanh, Elementwise<ElementTypes::floating>> {
 public:
  static constexpr std::string_view kName = "hardtanh";
  static KernelSlot slot;

  /// Throws ValueError unless low <= high.
  explicit Hardtanh(double low = -1, double high = 1);
  double low() const noexcept { return low_; }
  double high() const noexcept { return high_; }
  Tensors backward(const BackwardContext& context) const override;
  void visit_attributes(AttributeVisitor& visit) override {
    visit("low", low_);
    visit("high", high_);
    *this = Hardtanh(low_, high_);  // which checks them
  }

 private:
  double low_, high_;
};

/// slope g where low < x < high, else (at the bounds, and where x is NaN) 0: the gradient of functions that
/// are linear between two bounds and constant outside. Inputs: g, which came for y, and x.
class ESPALIER_API HardtanhBackward final
    : public OperationOf<HardtanhBackward, Elementwise<ElementTypes::floating>> {
 public:
  static constexpr std::string_view kName = "hardtanh_backward";
  static KernelSlot slot;

  HardtanhBackward(double low, double high, double slope = 1) : low_(low), high_(high), slope_(slope) {}
  double low() const noexcept { return low_; }
  double high() const noexcept { return high_; }
  double slope() const noexcept { return slope_; }
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0b10, .outputs = 0}; }
  void visit_attributes(AttributeVisitor& visit) override {
    visit("low", low_);
    visit("high", high_);
    visit("slope", slope_);
  }

 private:
  double low_, high_, slope_;
};

/// (x + 3) / 6 brought between 0 and 1, element by element, of floating types; the derivative at the kinks is
/// 0 (Courbariaux, Bengio, David, "BinaryConnect", arXiv:1511.00363, 2015, with another slope).
class ESPALIER_API Hardsigmoid final : public OperationOf<Hardsigmoid, Elementwise<ElementTypes::floating>> {
 public:
  static constexpr std::string_view kName = "hardsigmoid";
  static KernelSlot slot;

  Tensors backward(const BackwardContext& context) const override;
};

/// x hardsigmoid(x), element by element, of floating types; the derivative is 0 at -3 and 1 at 3 (Howard et
/// al., "Searching for MobileNetV3", arXiv:1905.02244, 2019). NaN for -infinity.
class ESPALIER_API Hardswish final : public OperationOf<Hardswish, Elementwise<ElementTypes::floating>> {
 public:
  static constexpr std::string_view kName = "hardswish";
  static KernelSlot slot;

  Tensors backward(const BackwardContext& context) const override;
};

/// The gradient of hardswish with respect to x. Inputs: g, which came for y, and x.
class ESPALIER_API HardswishBackward final
    : public OperationOf<HardswishBackward, Elementwise<ElementTypes::floating>> {
 public:
  static constexpr std::string_view kName = "hardswish_backward";
  static KernelSlot slot;

  Tensors backward(const BackwardContext& context) const override;
};

/// x between `low` and `high`; integers and bools as f32. The derivative at the bounds is 0. Throws
/// ValueError unless low <= high.
ESPALIER_API Tensor hardtanh(const Tensor& x, double low = -1, double high = 1);
/// x between 0 and 6, likewise (Krizhevsky, "Convolutional Deep Belief Networks on CIFAR-10", 2010).
ESPALIER_API Tensor relu6(const Tensor& x);
/// (x + 3) / 6 between 0 and 1, likewise.
ESPALIER_API Tensor hardsigmoid(const Tensor& x);
/// x hardsigmoid(x), likewise.
ESPALIER_API Tensor hardswish(const Tensor& x);

}  // namespace espalier
