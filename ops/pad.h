#pragma once

#include "core/door.h"
#include "core/scalar.h"

namespace espalier {

/// Surrounds a tensor with a constant, and sets its elements apart by it: along each axis `before` constants,
/// the elements with `between` constants from one to the next, `after` constants. The memory's order of axes
/// stays as it is (channels-last stays channels-last). What Slice takes apart this puts back.
class ESPALIER_API Pad final : public OperationOf<Pad> {
 public:
  static constexpr std::string_view kName = "pad";
  static KernelSlot slot;

  /// One number an axis, none negative; throws ShapeError otherwise.
  Pad(const Dims& before, const Dims& between, const Dims& after, Scalar value);
  const Dims& before() const noexcept { return before_; }
  const Dims& between() const noexcept { return between_; }
  const Dims& after() const noexcept { return after_; }
  Scalar value() const noexcept { return value_; }
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0, .outputs = 0}; }
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
  void visit_attributes(AttributeVisitor& visit) override {
    visit("before", before_);
    visit("between", between_);
    visit("after", after_);
    visit("value", value_);
    *this = Pad(before_, between_, after_, value_);  // which checks them
  }

 private:
  Dims before_, between_, after_;
  Scalar value_;
};

/// `input` with `before[i]` and `after[i]` elements of `value` added at the two ends of axis i; the memory's
/// order of axes stays. Throws ShapeError where a number is negative or there is not one for each axis,
/// ValueError where the type cannot hold `value`.
ESPALIER_API Tensor pad(const Tensor& input, const Dims& before, const Dims& after, Scalar value = 0);

}  // namespace espalier
