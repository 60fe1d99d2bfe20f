#pragma once

#include "core/door.h"
#include "core/scalar.h"

namespace espalier {

// Elements picked by an index along one axis, and put back. The index (i32 or i64) has as many axes as the
// tensor and is, along the other axes, at most as long; only its elements' places are looked at. Indices
// are from 0 up: negative ones are refused, as in PyTorch. Results are the same for any number of threads.

/// out[i][j][k] = x[index[i][j][k]][j][k], for axis 0. Any type.
class ESPALIER_API Gather final : public OperationOf<Gather> {
 public:
  static constexpr std::string_view kName = "gather";
  static KernelSlot slot;

  /// Negative axes count from the end.
  explicit Gather(int64_t axis) : axis_(axis) {}
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

/// A copy of x in which out[index[i][j][k]][j][k] = source[i][j][k], for axis 0. Any type.
class ESPALIER_API Scatter final : public OperationOf<Scatter> {
 public:
  static constexpr std::string_view kName = "scatter";
  static KernelSlot slot;

  /// Negative axes count from the end. The inputs are x, the index and the source.
  explicit Scatter(int64_t axis) : axis_(axis) {}
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0b10, .outputs = 0}; }
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
  void visit_attributes(AttributeVisitor& visit) override { visit("axis", axis_); }

  int axis(int rank) const { return normalize_axis(axis_, rank, kName); }

 private:
  int64_t axis_;
};

/// A copy of x in which out[index[i][j][k]][j][k] += source[i][j][k], for axis 0. All types that compute;
/// the narrow floating ones add up in f32 and are rounded once, bools are or-ed.
class ESPALIER_API ScatterAdd final : public OperationOf<ScatterAdd> {
 public:
  static constexpr std::string_view kName = "scatter_add";
  static KernelSlot slot;

  /// Negative axes count from the end. The inputs are x, the index and the source.
  explicit ScatterAdd(int64_t axis) : axis_(axis) {}
  /// With x absent: it stands for zeros of `shape`, where -1 is the index's size.
  ScatterAdd(int64_t axis, const Shape& shape) : axis_(axis), shape_(shape) {}
  uint32_t optional_inputs() const override { return shape_.empty() ? 0 : 1; }
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0b10, .outputs = 0}; }
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
  void visit_attributes(AttributeVisitor& visit) override {
    visit("axis", axis_);
    visit("shape", shape_);
  }

  int axis(int rank) const { return normalize_axis(axis_, rank, kName); }

 private:
  int64_t axis_;
  Shape shape_;
};

/// The elements of `x` at `index` along `axis`: NumPy's take_along_axis, without broadcasting. The result has
/// the index's shape. Throws ShapeError where the axis is out of range, the ranks differ or the index is
/// longer than x along another axis; TypeError unless the index is i32 or i64; ValueError, with its position,
/// for the first index outside [0, size of the axis).
ESPALIER_API Tensor gather(const Tensor& x, int64_t axis, const Tensor& index);

/// `x` with the elements at `index` along `axis` replaced by those of `source`, which has the index's shape
/// and x's type. Of several for one place the last one along the axis stays, and it alone gets a gradient.
/// Throws as gather does, and ShapeError and TypeError for another source.
ESPALIER_API Tensor scatter(const Tensor& x, int64_t axis, const Tensor& index, const Tensor& source);
/// The same with one number for all of them; ValueError where x's type cannot hold it.
ESPALIER_API Tensor scatter(const Tensor& x, int64_t axis, const Tensor& index, Scalar value);

/// `x` with the elements of `source`, which has the index's shape and x's type, added at `index` along
/// `axis`, in the order of the axis. Throws as scatter does, and TypeError for u16, u32 and u64.
ESPALIER_API Tensor scatter_add(const Tensor& x, int64_t axis, const Tensor& index, const Tensor& source);

}  // namespace espalier
