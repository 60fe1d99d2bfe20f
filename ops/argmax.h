#pragma once

#include "core/door.h"
#include "ops/reduction.h"
#include "ops/values_and_indices.h"

namespace espalier {

/// What operations that look along one axis for an extreme element have in common.
class ESPALIER_API AxisExtremum : public Reduction {
 public:
  AxisExtremum(int64_t axis, bool keepdim) : Reduction({axis}, keepdim) {}
  /// The axis as a place in an input of `rank` axes.
  int axis(int rank) const { return static_cast<int>(reduced_axes(rank)[0]); }
  /// Throws ValueError unless there is one axis.
  void visit_attributes(AttributeVisitor& visit) override;
};

/// The index along one axis of the first of its largest elements (the first NaN, where there is one), as i64.
/// Any type.
class ESPALIER_API Argmax final : public OperationOf<Argmax, AxisExtremum> {
 public:
  static constexpr std::string_view kName = "argmax";
  static KernelSlot slot;

  using OperationOf::OperationOf;
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  bool differentiable(int) const override { return false; }
};

/// The same of the first of the smallest elements (the first NaN, where there is one).
class ESPALIER_API Argmin final : public OperationOf<Argmin, AxisExtremum> {
 public:
  static constexpr std::string_view kName = "argmin";
  static KernelSlot slot;

  using OperationOf::OperationOf;
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  bool differentiable(int) const override { return false; }
};

/// What MaxWithIndices and MinWithIndices have in common. The outputs are the elements and, as i64, their
/// indices; the gradient goes to the elements that were picked.
class ESPALIER_API ExtremumWithIndices : public AxisExtremum {
 public:
  using AxisExtremum::AxisExtremum;
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0, .outputs = 0b10}; }
  bool differentiable(int output) const override { return output == 0; }
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
};

/// The element along one axis that Argmax points to, and where it stands.
class ESPALIER_API MaxWithIndices final : public OperationOf<MaxWithIndices, ExtremumWithIndices> {
 public:
  static constexpr std::string_view kName = "max_with_indices";
  static KernelSlot slot;

  using OperationOf::OperationOf;
};

/// The element along one axis that Argmin points to, and where it stands.
class ESPALIER_API MinWithIndices final : public OperationOf<MinWithIndices, ExtremumWithIndices> {
 public:
  static constexpr std::string_view kName = "min_with_indices";
  static KernelSlot slot;

  using OperationOf::OperationOf;
};

/// The index of the first of the largest elements along `axis` (negative ones count from the end), as i64; of
/// the first NaN, where there is one. Throws ShapeError for an axis that is out of range or without elements.
ESPALIER_API Tensor argmax(const Tensor& input, int64_t axis = -1, bool keepdim = false);
/// The index of the first of the smallest elements, in the same way.
ESPALIER_API Tensor argmin(const Tensor& input, int64_t axis = -1, bool keepdim = false);

/// The largest elements along `axis` with their indices, the first of equal ones. Unlike that of max(), the
/// gradient goes to that element alone. Throws as argmax() does.
ESPALIER_API ValuesAndIndices max_with_indices(const Tensor& input, int64_t axis = -1, bool keepdim = false);
/// The smallest elements, in the same way.
ESPALIER_API ValuesAndIndices min_with_indices(const Tensor& input, int64_t axis = -1, bool keepdim = false);

}  // namespace espalier
