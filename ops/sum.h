#pragma once

#include "core/door.h"
#include "ops/reduction.h"

namespace espalier {

/// Sums over axes. Floating types add in f32 or wider; integers and bool give i64.
class ESPALIER_API Sum final : public OperationOf<Sum, Reduction> {
 public:
  static constexpr std::string_view kName = "sum";
  static KernelSlot slot;

  using OperationOf::OperationOf;
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0, .outputs = 0}; }
};

/// The sum over `axes` (negative ones count from the end; none: all). Throws ShapeError for an axis that is
/// out of range or named twice.
ESPALIER_API Tensor sum(const Tensor& input, const Dims& axes = {}, bool keepdim = false);
/// The sum over the axes along which `shape` was broadcast to become the input's: what a gradient goes
/// through on its way back. The input itself where the shapes are equal.
ESPALIER_API Tensor sum_to(const Tensor& input, const Shape& shape);

}  // namespace espalier
