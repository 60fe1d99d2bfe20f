#pragma once

#include <limits>
#include <optional>

#include "core/door.h"
#include "core/scalar.h"
#include "ops/elementwise.h"

namespace espalier {

/// Two numbers, each of which may be absent, between which elements are brought.
struct ClampBounds {
  std::optional<Scalar> low, high;
};

/// min(max(x, low), high), element by element: `high` wins where low > high, NaN stays NaN, and a bound that
/// is NaN makes everything NaN. Any type but bool; bounds of integers are integers, and those beyond the
/// range of a type stand for its ends. The gradient is 0 at the bounds and beyond (as in torch.clamp with
/// numbers, from PyTorch 2.15 on) and for NaN.
class ESPALIER_API Clamp final : public OperationOf<Clamp, Elementwise<ElementTypes::numbers>> {
 public:
  static constexpr std::string_view kName = "clamp";
  static KernelSlot slot;

  explicit Clamp(const ClampBounds& bounds) : bounds_(bounds) {}
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 1, .outputs = 0}; }
  void visit_attributes(AttributeVisitor& visit) override {
    visit("low", bounds_.low);
    visit("high", bounds_.high);
  }
  const ClampBounds& bounds() const { return bounds_; }

 private:
  ClampBounds bounds_;
};

/// The gradient of Clamp with respect to x: g where low < x < high, else 0. Inputs: g, x.
class ESPALIER_API ClampBackward final
    : public OperationOf<ClampBackward, Elementwise<ElementTypes::floating>> {
 public:
  static constexpr std::string_view kName = "clamp_backward";
  static KernelSlot slot;

  explicit ClampBackward(const ClampBounds& bounds) : bounds_(bounds) {}
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0b10, .outputs = 0}; }
  void visit_attributes(AttributeVisitor& visit) override {
    visit("low", bounds_.low);
    visit("high", bounds_.high);
  }
  const ClampBounds& bounds() const { return bounds_; }

 private:
  ClampBounds bounds_;
};

/// minimum(maximum(x, low), high) in one pass, with its gradients: halves where operands are equal. Inputs:
/// x, low and high, which broadcast. Any type.
class ESPALIER_API ClampBetween final : public OperationOf<ClampBetween, Elementwise<>> {
 public:
  static constexpr std::string_view kName = "clamp_between";
  static KernelSlot slot;

  Tensors backward(const BackwardContext& context) const override;
};

/// x brought between two numbers; std::nullopt, or `{}`, is no bound. Types promote as in add(): integers
/// with a fractional bound give f32. Throws ValueError where there is no bound, TypeError for bool.
ESPALIER_API Tensor clamp(const Tensor& x, std::optional<Scalar> low, std::optional<Scalar> high);

/// The same between two tensors, which broadcast with x and promote; an undefined one is no bound.
ESPALIER_API Tensor clamp(const Tensor& x, const Tensor& low, const Tensor& high);

}  // namespace espalier
