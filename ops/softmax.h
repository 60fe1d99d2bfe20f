#pragma once

#include "core/door.h"

namespace espalier {

/// What operations on the vectors along one axis have in common: inputs of one shape and one type out of f64,
/// f32, f16 and bf16; an output like them, which lies in memory as the last input does where that is dense,
/// else row-major. The narrow types are computed in f32.
class ESPALIER_API SoftmaxBase : public Operation {
 public:
  /// `axis` may count from the end. A scalar has one axis, of size 1.
  explicit SoftmaxBase(int64_t axis) : axis_(axis) {}
  int64_t axis() const noexcept { return axis_; }
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
  /// None along the axis itself: a probability that goes changes the others.
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
  void visit_attributes(AttributeVisitor& visit) override { visit("axis", axis_); }
  AutocastRule autocast_rule() const override { return AutocastRule::widen; }

 private:
  int64_t axis_;
};

/// y = exp(x) / sum of exp(x) along an axis.
class ESPALIER_API Softmax final : public OperationOf<Softmax, SoftmaxBase> {
 public:
  static constexpr std::string_view kName = "softmax";
  static KernelSlot slot;

  using OperationOf::OperationOf;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0, .outputs = 1}; }
};

/// The gradient of softmax: y (g - sum of g y). Inputs: g, which came for y, and y.
class ESPALIER_API SoftmaxBackward final : public OperationOf<SoftmaxBackward, SoftmaxBase> {
 public:
  static constexpr std::string_view kName = "softmax_backward";
  static KernelSlot slot;

  using OperationOf::OperationOf;
  Tensors backward(const BackwardContext& context) const override;
};

/// y = x - log(sum of exp(x)) along an axis.
class ESPALIER_API LogSoftmax final : public OperationOf<LogSoftmax, SoftmaxBase> {
 public:
  static constexpr std::string_view kName = "log_softmax";
  static KernelSlot slot;

  using OperationOf::OperationOf;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0, .outputs = 1}; }
};

/// The gradient of log_softmax: g - exp(y) (sum of g). Inputs: g, which came for y, and y.
class ESPALIER_API LogSoftmaxBackward final : public OperationOf<LogSoftmaxBackward, SoftmaxBase> {
 public:
  static constexpr std::string_view kName = "log_softmax_backward";
  static KernelSlot slot;

  using OperationOf::OperationOf;
  Tensors backward(const BackwardContext& context) const override;
};

/// Probabilities along `axis` (negative: from the end): exp(x) / sum of exp(x), where the largest x is
/// subtracted first, so that none is too large. As in PyTorch, NaN all along where an element is NaN or +inf
/// or all are -inf. Throws ShapeError for an axis out of range, TypeError unless x is f64, f32, f16 or bf16.
ESPALIER_API Tensor softmax(const Tensor& x, int64_t axis);

/// The logarithm of softmax, x - log(sum of exp(x)), exact also where the probability would round to 0.
/// Refuses what softmax refuses.
ESPALIER_API Tensor log_softmax(const Tensor& x, int64_t axis);

}  // namespace espalier
