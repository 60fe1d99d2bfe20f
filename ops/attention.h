#pragma once

#include <optional>

#include "core/door.h"

namespace espalier {

/// Which keys a query may see.
enum class Causal : uint8_t {
  none,         ///< all
  upper_left,   ///< query t sees keys 0 to t
  lower_right,  ///< query t sees keys 0 to t + S - T: the last query sees all, as the latest of a cache does
};
ESPALIER_API void visit_attribute(AttributeVisitor& visit, std::string_view name, Causal& causal);

/// Scaled dot-product attention, softmax(scale q k^T + mask) v, without ever storing the matrix of scores
/// (FlashAttention: Dao, Fu, Ermon, Rudra, Re 2022). Inputs: q [..., T, D], k [..., S, D], v [..., S, E],
/// leading axes equal, and optionally a mask that broadcasts to [..., T, S]: of type bool, where false hides
/// a key, or of q's type, which is added to the scores and is a constant for the gradient. A query that sees
/// no key gets 0. Outputs: y [..., T, E], and for backward the logarithm of each row's sum of exponentials,
/// [..., T], in f32 where q is narrower. The axes of y lie in memory in the order in which q's do, so that
/// heads split off by a permuted view merge by one.
class ESPALIER_API Attention final : public OperationOf<Attention> {
 public:
  static constexpr std::string_view kName = "attention";
  static KernelSlot slot;

  AutocastRule autocast_rule() const override { return AutocastRule::narrow; }
  /// Without a scale it is 1 / sqrt(D).
  explicit Attention(Causal causal, std::optional<double> scale = {}) : causal_(causal), scale_(scale) {}
  uint32_t optional_inputs() const override { return 0b1000; }
  Causal causal() const noexcept { return causal_; }
  double scale(const Tensor& q) const;
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0b1111, .outputs = 0b11}; }
  bool differentiable(int output) const override { return output == 0; }
  bool decomposable() const override { return true; }
  Tensors decompose(Inputs inputs) const override;
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
  void visit_attributes(AttributeVisitor& visit) override {
    visit("causal", causal_);
    visit("scale", scale_);
  }

 private:
  Causal causal_;
  std::optional<double> scale_;
};

/// The gradients of attention that are wanted, in the order dq, dk, dv, from scores computed once more. With
/// p = exp(scale q k^T + mask - log_sum), dp = dy v^T and ds = scale p (dp - sum of dy y): dq = ds k, dk =
/// ds^T q, dv = p^T dy. Inputs: dy, q, k, v, the two outputs y and log_sum, and the mask, if any. Each
/// gradient's axes lie in memory in the order in which its input's do.
class ESPALIER_API AttentionBackward final : public OperationOf<AttentionBackward> {
 public:
  static constexpr std::string_view kName = "attention_backward";
  static KernelSlot slot;

  AttentionBackward(Causal causal, double scale, bool wants_q, bool wants_k, bool wants_v)
      : causal_(causal), scale_(scale), wants_{wants_q, wants_k, wants_v} {}
  uint32_t optional_inputs() const override { return 0b1000000; }
  Causal causal() const noexcept { return causal_; }
  double scale() const noexcept { return scale_; }
  bool wants(int input) const noexcept { return wants_[input]; }
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
  void visit_attributes(AttributeVisitor& visit) override {
    visit("causal", causal_);
    visit("scale", scale_);
    visit("wants", std::span<bool>(wants_));
  }

 private:
  Causal causal_;
  double scale_;
  bool wants_[3];
};

struct AttentionOptions {
  Causal causal = Causal::none;
  Tensor mask = {};                  ///< bool, or of q's type; broadcasts to [..., T, S]
  std::optional<double> scale = {};  ///< 1 / sqrt(D) where absent
};

/// softmax(scale q k^T + mask) v for each index of the leading axes (torch.nn.functional.
/// scaled_dot_product_attention). k and v may have fewer heads, which is the axis before the last two, than
/// q: each then serves as many neighbouring heads of q (grouped queries: Ainslie et al. 2023). Inputs may
/// have any strides; where the last axis is contiguous nothing is copied. A mask that requires a gradient
/// gets one, at the price of storing the scores. Throws ShapeError unless q is [..., H, T, D], k [..., G, S,
/// D] and v [..., G, S, E] with G dividing H and a mask that broadcasts to [..., H, T, S]; TypeError where
/// they are not of one floating type; ValueError for a scale that is not finite.
///
///   attention(q, k, v, {.causal = Causal::upper_left})
ESPALIER_API Tensor attention(const Tensor& q, const Tensor& k, const Tensor& v,
                              const AttentionOptions& options = {});

}  // namespace espalier
