#pragma once

#include "ops/conv2d.h"

namespace espalier {

struct FusedConv2dOptions {
  Conv2dOptions conv = {};
  bool relu = false;  ///< max(0, x) at the end
};

/// A convolution with what follows it in residual networks, for inference: y = relu(conv2d(x, weight, bias) +
/// residual). Inputs as Conv2d's, and the residual, [N, O, OH, OW] in channels-last memory, which is updated
/// in place; bias and residual may be absent. Without a residual the output is new. Not differentiable.
class ESPALIER_API FusedConv2d final : public OperationOf<FusedConv2d> {
 public:
  static constexpr std::string_view kName = "fused_conv2d";
  static KernelSlot slot;

  explicit FusedConv2d(const FusedConv2dOptions& options = {}) : options_(options) {}
  const FusedConv2dOptions& options() const noexcept { return options_; }
  uint32_t optional_inputs() const override { return 0b1100; }
  uint32_t channels_last_inputs() const override { return 0b1; }
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  bool differentiable(int) const override { return false; }
  bool decomposable() const override { return true; }
  Tensors decompose(Inputs inputs) const override;
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
  void visit_attributes(AttributeVisitor& visit) override {
    visit_options(visit, options_.conv);
    visit("relu", options_.relu);
  }

 private:
  FusedConv2dOptions options_;
};

/// relu(conv2d(x, weight, bias) + residual), each part but the convolution where it is asked for; a residual
/// is overwritten with the result. Throws what conv2d() throws, ShapeError for a residual of another shape or
/// layout than the result's, TypeError for one of another type.
ESPALIER_API Tensor fused_conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
                                 const Tensor& residual = {}, const FusedConv2dOptions& options = {});

}  // namespace espalier
