#pragma once

#include "core/door.h"

namespace espalier {

/// Group normalisation (Wu and He, 2018, arXiv:1803.08494): the channels of each image, axis 1, fall into
/// groups of neighbours, and y = (x - mean) / sqrt(variance + epsilon) * weight + bias, with the mean and the
/// population's variance of a group and all its positions, and a weight and a bias for each channel. Inputs:
/// x [N, C, ...], weight [C], bias [C]; the last two may be absent (1 and 0). Outputs: y, and for backward
/// the mean and 1 / sqrt(variance + epsilon) of each group, [N, groups], in f32 where x is narrower.
class ESPALIER_API GroupNorm final : public OperationOf<GroupNorm> {
 public:
  static constexpr std::string_view kName = "group_norm";
  static KernelSlot slot;

  AutocastRule autocast_rule() const override { return AutocastRule::widen; }
  GroupNorm(int64_t groups, double epsilon) : groups_(groups), epsilon_(epsilon) {}
  double epsilon() const noexcept { return epsilon_; }
  uint32_t optional_inputs() const override { return 0b110; }
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0b111, .outputs = 0b110}; }
  bool differentiable(int output) const override { return output == 0; }
  bool decomposable() const override { return true; }
  Tensors decompose(Inputs inputs) const override;
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
  void visit_attributes(AttributeVisitor& visit) override {
    visit("groups", groups_);
    visit("epsilon", epsilon_);
  }

 private:
  int64_t groups_;
  double epsilon_;
};

/// The gradients of group_norm that are wanted, in the order dx, dweight, dbias. Inputs: dy, x, weight (may
/// be absent), and the two saved outputs, [N, groups].
class ESPALIER_API GroupNormBackward final : public OperationOf<GroupNormBackward> {
 public:
  static constexpr std::string_view kName = "group_norm_backward";
  static KernelSlot slot;

  GroupNormBackward(bool wants_x, bool wants_weight, bool wants_bias)
      : wants_{wants_x, wants_weight, wants_bias} {}
  bool wants(int input) const noexcept { return wants_[input]; }
  uint32_t optional_inputs() const override { return 0b100; }
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
  void visit_attributes(AttributeVisitor& visit) override { visit("wants", std::span<bool>(wants_)); }

 private:
  bool wants_[3];
};

/// Normalises the channels of `x`, [N, C] or [N, C, ...], in `groups` groups, and scales and shifts each
/// channel by `weight` and `bias`, [C] or undefined. Channels-last images stay channels-last. Throws
/// ShapeError for other ranks and sizes and where `groups` does not divide C, TypeError where not all are of
/// one type out of f64, f32, f16 and bf16, ValueError unless `groups` is at least 1 and `epsilon` at least 0.
ESPALIER_API Tensor group_norm(const Tensor& x, int64_t groups, const Tensor& weight = {},
                               const Tensor& bias = {}, double epsilon = 1e-5);

/// Instance normalisation (Ulyanov, Vedaldi, Lempitsky, 2016, arXiv:1607.08022): group normalisation with a
/// group for each channel, of `x` [N, C, L], [N, C, H, W], ...; refuses what group_norm refuses and, with a
/// ShapeError, other ranks.
ESPALIER_API Tensor instance_norm(const Tensor& x, const Tensor& weight = {}, const Tensor& bias = {},
                                  double epsilon = 1e-5);

}  // namespace espalier
