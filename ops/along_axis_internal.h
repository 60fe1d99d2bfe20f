#pragma once

#include <algorithm>

#include "core/door.h"

namespace espalier {

/// An axis of a tensor and the slices along it. A tensor without axes counts as one slice of one element.
class AxisSlices {
 public:
  /// Throws ShapeError, on behalf of `where`, for an axis out of range; negative ones count from the end.
  AxisSlices(const Shape& shape, int64_t axis, std::string_view where)
      : axis_(normalize_axis(axis, std::max(shape.rank(), 1), where)), shape_(shape) {
    for (int i = 0; i < shape.rank(); ++i) {
      if (i != axis_) (i < axis_ ? outer_ : inner_) *= shape[i];
    }
  }

  int axis() const noexcept { return axis_; }
  /// Elements in a slice.
  int64_t size() const noexcept { return shape_.rank() == 0 ? 1 : shape_[axis_]; }
  /// How many slices there are, and the products of the sizes before and after the axis.
  int64_t count() const noexcept { return outer_ * inner_; }
  int64_t outer() const noexcept { return outer_; }
  int64_t inner() const noexcept { return inner_; }
  /// The same shape with `size` elements along the axis.
  Shape with_size(int64_t size) const {
    Shape result = shape_;
    if (result.rank() > 0) result[axis_] = size;
    return result;
  }

  /// From one element of a slice to the next, in a tensor with these strides.
  int64_t step(const Strides& strides) const noexcept { return strides.rank() == 0 ? 1 : strides[axis_]; }
  /// Where a slice, counted in row-major order of the other axes, begins.
  int64_t offset(const Strides& strides, int64_t slice) const noexcept {
    int64_t result = 0;
    for (int i = shape_.rank() - 1; i >= 0; --i) {
      if (i == axis_) continue;
      result += slice % shape_[i] * strides[i];
      slice /= shape_[i];
    }
    return result;
  }

  /// Every other axis of input 0 shrinks with those of `inputs` inputs and `outputs` outputs.
  std::vector<AxisTie> ties(int inputs, int outputs) const {
    std::vector<AxisTie> ties;
    for (int i = 0; i < shape_.rank(); ++i) {
      if (i == axis_) continue;
      AxisTie& tie = ties.emplace_back();
      for (int n = 0; n < inputs; ++n) tie.axes.push_back({n, i});
      for (int n = 0; n < outputs; ++n) tie.axes.push_back({-1 - n, i});
    }
    return ties;
  }

 private:
  int axis_;
  Shape shape_;
  int64_t outer_ = 1, inner_ = 1;
};

/// The elements of x at `indices` (i64, of the shape of x but for the axis), along an axis: the transpose of
/// PutAlongAxis, and its gradient. Any type.
class ESPALIER_API TakeAlongAxis final : public OperationOf<TakeAlongAxis> {
 public:
  static constexpr std::string_view kName = "take_along_axis";
  static KernelSlot slot;

  explicit TakeAlongAxis(int64_t axis) : axis_(axis) {}
  int64_t axis() const noexcept { return axis_; }
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0b10, .outputs = 0}; }
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
  void visit_attributes(AttributeVisitor& visit) override { visit("axis", axis_); }

 private:
  int64_t axis_;
};

/// Elements put at `indices` (i64, of their shape) along an axis of `size`, with 0 elsewhere: what sends the
/// gradient of picked elements back. The indices of a slice are distinct. Any type.
class ESPALIER_API PutAlongAxis final : public OperationOf<PutAlongAxis> {
 public:
  static constexpr std::string_view kName = "put_along_axis";
  static KernelSlot slot;

  PutAlongAxis(int64_t axis, int64_t size) : axis_(axis), size_(size) {}
  int64_t axis() const noexcept { return axis_; }
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0b10, .outputs = 0}; }
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
  void visit_attributes(AttributeVisitor& visit) override {
    visit("axis", axis_);
    visit("size", size_);
  }

 private:
  int64_t axis_, size_;
};

ESPALIER_API Tensor take_along_axis(const Tensor& x, const Tensor& indices, int64_t axis);
ESPALIER_API Tensor put_along_axis(const Tensor& elements, const Tensor& indices, int64_t axis, int64_t size);

}  // namespace espalier
