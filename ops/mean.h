#pragma once

#include "core/door.h"
#include "ops/reduction.h"

namespace espalier {

/// The mean over axes: the sum divided by the number of elements in it; NaN where there are none. Floating
/// types, which add in f32 or wider.
class ESPALIER_API Mean final : public OperationOf<Mean, Reduction> {
 public:
  static constexpr std::string_view kName = "mean";
  static KernelSlot slot;

  using OperationOf::OperationOf;
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0, .outputs = 0}; }

  /// How many elements of an input of `shape` go into each mean.
  int64_t elements(const Shape& shape) const;
};

/// The mean over `axes` (negative ones count from the end; none: all). Throws ShapeError for an axis that is
/// out of range or named twice, TypeError for an input that is not floating.
ESPALIER_API Tensor mean(const Tensor& input, const Dims& axes = {}, bool keepdim = false);

}  // namespace espalier
