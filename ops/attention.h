#pragma once

#include <optional>

#include "core/door.h"

namespace espalier {

/// Scaled dot-product attention, softmax(scale q k^T) v, without ever storing the matrix of scores
/// (FlashAttention: Dao, Fu, Ermon, Rudra, Re 2022). Inputs: q [..., T, D], k [..., S, D], v [..., S, E],
/// leading axes equal. Outputs: y [..., T, E], and for backward the logarithm of each row's sum of
/// exponentials, [..., T], in f32 where q is narrower. The axes of y lie in memory in the order in which q's
/// do, so that heads split off by a permuted view merge by one.
class ESPALIER_API Attention final : public OperationOf<Attention> {
 public:
  static constexpr std::string_view kName = "attention";
  static KernelSlot slot;

  /// Without a scale it is 1 / sqrt(D).
  explicit Attention(bool causal, std::optional<double> scale = {}) : causal_(causal), scale_(scale) {}
  bool causal() const noexcept { return causal_; }
  double scale(const Tensor& q) const;
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0b111, .outputs = 0b11}; }
  bool differentiable(int output) const override { return output == 0; }
  bool decomposable() const override { return true; }
  Tensors decompose(Inputs inputs) const override;
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
  void print_attributes(std::ostream& out) const override;

 private:
  bool causal_;
  std::optional<double> scale_;
};

/// The gradients of attention that are wanted, in the order dq, dk, dv, from scores computed once more. With
/// p = exp(scale q k^T - log_sum), dp = dy v^T and ds = scale p (dp - sum of dy y): dq = ds k, dk = ds^T q,
/// dv = p^T dy. Inputs: dy, q, k, v, and the two outputs y and log_sum. Each gradient's axes lie in memory in
/// the order in which its input's do.
class ESPALIER_API AttentionBackward final : public OperationOf<AttentionBackward> {
 public:
  static constexpr std::string_view kName = "attention_backward";
  static KernelSlot slot;

  AttentionBackward(bool causal, double scale, bool wants_q, bool wants_k, bool wants_v)
      : causal_(causal), scale_(scale), wants_{wants_q, wants_k, wants_v} {}
  bool causal() const noexcept { return causal_; }
  double scale() const noexcept { return scale_; }
  bool wants(int input) const noexcept { return wants_[input]; }
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
  void print_attributes(std::ostream& out) const override;

 private:
  bool causal_;
  double scale_;
  bool wants_[3];
};

/// softmax(scale q k^T) v for each index of the leading axes. With `causal`, query t sees keys 0 to t (as
/// PyTorch's is_causal, also where there are more keys than queries). `scale` is 1 / sqrt(D) unless given.
/// Inputs may have any strides; where the last axis is contiguous nothing is copied. Throws ShapeError unless
/// q is [..., T, D], k [..., S, D] and v [..., S, E]; TypeError where they are not of one floating type;
/// ValueError for a scale that is not finite.
ESPALIER_API Tensor attention(const Tensor& q, const Tensor& k, const Tensor& v, bool causal = false,
                              std::optional<double> scale = {});

}  // namespace espalier
