#pragma once

#include "core/door.h"

namespace espalier {

/// Sums of the elements up to each one along an axis, itself included; from the other end with `reverse`.
/// Floating types keep their type and add in f64; integers and bool give i64.
class ESPALIER_API CumulativeSum final : public OperationOf<CumulativeSum> {
 public:
  static constexpr std::string_view kName = "cumsum";
  static KernelSlot slot;

  AutocastRule autocast_rule() const override { return AutocastRule::widen; }
  explicit CumulativeSum(int64_t axis, bool reverse = false) : axis_(axis), reverse_(reverse) {}
  int64_t axis() const noexcept { return axis_; }
  bool reverse() const noexcept { return reverse_; }
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0, .outputs = 0}; }
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
  void visit_attributes(AttributeVisitor& visit) override {
    visit("axis", axis_);
    visit("reverse", reverse_);
  }

 private:
  int64_t axis_;
  bool reverse_;
};

/// Products of the elements up to each one along an axis, itself included. Floating types keep their type and
/// multiply in f64; integers and bool give i64, and wrap. The gradient is right where elements are 0.
class ESPALIER_API CumulativeProduct final : public OperationOf<CumulativeProduct> {
 public:
  static constexpr std::string_view kName = "cumprod";
  static KernelSlot slot;

  AutocastRule autocast_rule() const override { return AutocastRule::widen; }
  explicit CumulativeProduct(int64_t axis) : axis_(axis) {}
  int64_t axis() const noexcept { return axis_; }
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 1, .outputs = 0}; }
  bool decomposable() const override { return true; }
  Tensors decompose(Inputs inputs) const override;
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
  void visit_attributes(AttributeVisitor& visit) override { visit("axis", axis_); }

 private:
  int64_t axis_;
};

/// The gradient of CumulativeProduct. The inputs are the gradient and the CumulativeProduct's input.
class ESPALIER_API CumulativeProductBackward final : public OperationOf<CumulativeProductBackward> {
 public:
  static constexpr std::string_view kName = "cumprod_backward";
  static KernelSlot slot;

  explicit CumulativeProductBackward(int64_t axis) : axis_(axis) {}
  int64_t axis() const noexcept { return axis_; }
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
  void visit_attributes(AttributeVisitor& visit) override { visit("axis", axis_); }

 private:
  int64_t axis_;
};

/// Sums of the elements up to each one along `axis` (negative ones count from the end), itself included.
/// Throws ShapeError for an axis out of range.
ESPALIER_API Tensor cumsum(const Tensor& x, int64_t axis = -1);
/// Products of the elements up to each one, in the same way.
ESPALIER_API Tensor cumprod(const Tensor& x, int64_t axis = -1);

}  // namespace espalier
