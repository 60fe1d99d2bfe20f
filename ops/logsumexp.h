#pragma once

#include "core/door.h"
#include "ops/reduction.h"

namespace espalier {

/// ln(sum of e^x) over axes, computed as m + ln(sum of e^(x - m)) with the largest element m, so that nothing
/// overflows. -infinity for no elements or all -infinity, infinity where one is, NaN where one is. Floating
/// types. The gradient is e^(x - y), NaN where both are the same infinity, as in PyTorch.
class ESPALIER_API LogSumExp final : public OperationOf<LogSumExp, Reduction> {
 public:
  static constexpr std::string_view kName = "logsumexp";
  static KernelSlot slot;

  using OperationOf::OperationOf;
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 1, .outputs = 1}; }
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
};

/// ln(sum of e^x) over `axes` (negative ones count from the end; none: all); integers and bools as f32.
/// Throws ShapeError for an axis that is out of range or named twice.
ESPALIER_API Tensor logsumexp(const Tensor& x, const Dims& axes = {}, bool keepdim = false);

}  // namespace espalier
