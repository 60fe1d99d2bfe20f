#pragma once

#include "core/door.h"

namespace espalier {

/// The slices of x at `indices` along an axis, one after another: for axis 0, out[i] = x[indices[i]]. Any
/// type.
class ESPALIER_API IndexSelect final : public OperationOf<IndexSelect> {
 public:
  static constexpr std::string_view kName = "index_select";
  static KernelSlot slot;

  /// Negative axes count from the end. The inputs are x and the indices.
  explicit IndexSelect(int64_t axis) : axis_(axis) {}
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0b10, .outputs = 0}; }
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
  void visit_attributes(AttributeVisitor& visit) override { visit("axis", axis_); }

  int axis(int rank) const { return normalize_axis(axis_, rank, kName); }

 private:
  int64_t axis_;
};

/// A copy of x with the slices of a source added at `indices` along an axis: for axis 0, out[indices[i]] +=
/// source[i], in the order of the indices, so that the sums do not depend on the threads. All types that
/// compute; the narrow floating ones add up in f32 and are rounded once, bools are or-ed.
class ESPALIER_API IndexAdd final : public OperationOf<IndexAdd> {
 public:
  static constexpr std::string_view kName = "index_add";
  static KernelSlot slot;

  /// Negative axes count from the end. The inputs are x, the indices and the source; x may be absent and is
  /// then zeros, `size` of them along the axis.
  explicit IndexAdd(int64_t axis, int64_t size = 0) : axis_(axis), size_(size) {}
  uint32_t optional_inputs() const override { return 1; }
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0b10, .outputs = 0}; }
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
  void visit_attributes(AttributeVisitor& visit) override {
    visit("axis", axis_);
    visit("size", size_);
  }

  int axis(int rank) const { return normalize_axis(axis_, rank, kName); }

 private:
  int64_t axis_, size_;
};

/// The slices of `x` at `indices`, i32[n] or i64[n], along `axis`: the shape of x with n along that axis.
/// Throws ShapeError where the axis is out of range or the indices have not one axis; TypeError; ValueError,
/// with its position, for the first index outside [0, size of the axis) (negative ones are refused, as in
/// PyTorch).
ESPALIER_API Tensor index_select(const Tensor& x, int64_t axis, const Tensor& indices);

/// `x` with the slices of `source`, of x's type and shape but for `axis`, where it has n, added at `indices`.
/// Throws as index_select does, and ShapeError and TypeError for another source.
ESPALIER_API Tensor index_add(const Tensor& x, int64_t axis, const Tensor& indices, const Tensor& source);

}  // namespace espalier
