#pragma once

#include "core/door.h"
#include "ops/values_and_indices.h"

namespace espalier {

/// What Sort and TopK have in common. The outputs are the elements and, as i64, where they stood along the
/// axis. NaN counts as larger than all numbers, -0 as equal to 0; of equal elements the first comes first,
/// also in descending order. The gradient goes back to where the elements came from. Any type.
class ESPALIER_API Ordering : public Operation {
 public:
  Ordering(int64_t axis, bool descending) : axis_(axis), descending_(descending) {}
  int64_t axis() const noexcept { return axis_; }
  bool descending() const noexcept { return descending_; }
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0, .outputs = 0b10}; }
  bool differentiable(int output) const override { return output == 0; }
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
  void visit_attributes(AttributeVisitor& visit) override {
    visit("axis", axis_);
    visit("descending", descending_);
  }

 protected:
  /// Values and indices, in the input's shape with `size` elements along the axis.
  void infer_ordered(const Tensor& input, int64_t size, OutputSpecs& outputs) const;

 private:
  int64_t axis_;
  bool descending_;
};

/// All elements in order along an axis.
class ESPALIER_API Sort final : public OperationOf<Sort, Ordering> {
 public:
  static constexpr std::string_view kName = "sort";
  static KernelSlot slot;

  using OperationOf::OperationOf;
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
};

/// The first `k` elements in order along an axis.
class ESPALIER_API TopK final : public OperationOf<TopK, Ordering> {
 public:
  static constexpr std::string_view kName = "topk";
  static KernelSlot slot;

  TopK(int64_t k, int64_t axis, bool largest) : OperationOf(axis, largest), k_(k) {}
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  void visit_attributes(AttributeVisitor& visit) override {
    Ordering::visit_attributes(visit);
    visit("k", k_);
  }

 private:
  int64_t k_;
};

/// The elements in ascending (or descending) order along `axis` (negative ones count from the end), and their
/// indices. Stable; NaN is larger than all numbers. Throws ShapeError for an axis out of range.
ESPALIER_API ValuesAndIndices sort(const Tensor& x, int64_t axis = -1, bool descending = false);
/// The indices that sort `x`, in the same way.
ESPALIER_API Tensor argsort(const Tensor& x, int64_t axis = -1, bool descending = false);
/// The `k` largest (or smallest) elements along `axis`, the most extreme first and of equal ones the first,
/// and their indices. Throws ShapeError for an axis out of range or fewer than `k` elements along it.
ESPALIER_API ValuesAndIndices topk(const Tensor& x, int64_t k, int64_t axis = -1, bool largest = true);
/// The k-th smallest elements along `axis`, counted from 1, and their indices; the axis goes, or stays with
/// size
/// 1. Throws ShapeError for an axis out of range or a `k` that is not a place along it.
ESPALIER_API ValuesAndIndices kth_value(const Tensor& x, int64_t k, int64_t axis = -1, bool keepdim = false);

}  // namespace espalier
