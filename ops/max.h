#pragma once

#include "core/door.h"
#include "ops/reduction.h"

namespace espalier {

/// What Max and Min have in common.
class ESPALIER_API Extremum : public Reduction {
 public:
  using Reduction::Reduction;
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 1, .outputs = 1}; }
};

/// The largest element over axes; NaN where one is among them. Any type. The gradient is shared evenly by all
/// elements that equal the largest (the rule of torch.amax), whatever the axes.
class ESPALIER_API Max final : public OperationOf<Max, Extremum> {
 public:
  static constexpr std::string_view kName = "max";
  static KernelSlot slot;

  using OperationOf::OperationOf;
};

/// The smallest element over axes, as Max has the largest.
class ESPALIER_API Min final : public OperationOf<Min, Extremum> {
 public:
  static constexpr std::string_view kName = "min";
  static KernelSlot slot;

  using OperationOf::OperationOf;
};

/// The largest element over `axes` (negative ones count from the end; none: all). Throws ShapeError for an
/// axis that is out of range, named twice or without elements.
ESPALIER_API Tensor max(const Tensor& input, const Dims& axes = {}, bool keepdim = false);
/// The smallest element, in the same way.
ESPALIER_API Tensor min(const Tensor& input, const Dims& axes = {}, bool keepdim = false);

}  // namespace espalier
