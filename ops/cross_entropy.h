#pragma once

#include "core/door.h"

namespace espalier {

/// The mean over all rows of -log softmax(logits)[target], in one pass over the logits: log sum exp(x - max)
/// + max - x[target]. Logits are [..., classes], targets class indices of shape [...], i32 or i64. The second
/// output keeps each row's log-sum-exp (f32 or f64) for the backward. No rows: NaN, the mean of nothing.
class ESPALIER_API CrossEntropy final : public OperationOf<CrossEntropy> {
 public:
  static constexpr std::string_view kName = "cross_entropy";
  static KernelSlot slot;

  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0b11, .outputs = 0b10}; }
  bool differentiable(int output) const override { return output == 0; }
  bool decomposable() const override { return true; }
  Tensors decompose(Inputs inputs) const override;
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
};

/// The gradient of CrossEntropy with respect to the logits: (exp(x - log-sum-exp) - [class = target]) *
/// gradient / rows, of inputs (gradient, logits, targets, log-sum-exp).
class ESPALIER_API CrossEntropyBackward final : public OperationOf<CrossEntropyBackward> {
 public:
  static constexpr std::string_view kName = "cross_entropy_backward";
  static KernelSlot slot;

  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
};

/// Mean cross-entropy between softmax(logits) over the last axis and class indices: the loss of
/// classification, safe at extreme logits. logits [..., classes], floating; targets [...], i32 or i64. Throws
/// ShapeError and TypeError where they do not fit, ValueError for a target outside [0, classes).
ESPALIER_API Tensor cross_entropy(const Tensor& logits, const Tensor& targets);

}  // namespace espalier
