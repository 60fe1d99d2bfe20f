#pragma once

#include "core/door.h"
#include "ops/window.h"

namespace espalier {

/// How a convolution's kernel slides.
struct Conv2dOptions {
  Size2d stride = 1;
  Size2d padding = 0;   ///< zeros around the image
  Size2d dilation = 1;  ///< distance between the elements under the kernel
  int64_t groups = 1;   ///< channels fall into groups; each output channel sees the inputs of its own
};
ESPALIER_API void visit_options(AttributeVisitor& visit, Conv2dOptions& options);

/// 2-d convolution (as everywhere in deep learning, a cross-correlation). Inputs x [N, C, H, W], weight [O,
/// C / groups, KH, KW], bias [O] (may be absent);
/// y[n, o, h, w] = bias[o] + sum over c, i, j of weight[o, c, i, j] * x[n, first channel of o's group + c,
/// h * stride - padding + i * dilation, w * stride - padding + j * dilation].
class ESPALIER_API Conv2d final : public OperationOf<Conv2d> {
 public:
  static constexpr std::string_view kName = "conv2d";
  static KernelSlot slot;

  AutocastRule autocast_rule() const override { return AutocastRule::narrow; }
  uint32_t channels_last_inputs() const override { return 0b1; }
  explicit Conv2d(const Conv2dOptions& options = {}) : options_(options) {}
  const Conv2dOptions& options() const noexcept { return options_; }
  uint32_t optional_inputs() const override { return 0b100; }
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0b11, .outputs = 0}; }
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
  void visit_attributes(AttributeVisitor& visit) override { visit_options(visit, options_); }

 private:
  Conv2dOptions options_;
};

/// The gradient of Conv2d with respect to images of `size`. Inputs: the gradient [N, O, OH, OW] and the
/// weight. It is linear in both; its own gradients are a Conv2d and a Conv2dBackwardWeights.
class ESPALIER_API Conv2dBackwardData final : public OperationOf<Conv2dBackwardData> {
 public:
  static constexpr std::string_view kName = "conv2d_backward_data";
  static KernelSlot slot;

  /// It is conv_transpose2d's forward pass, too.
  AutocastRule autocast_rule() const override { return AutocastRule::narrow; }
  uint32_t channels_last_inputs() const override { return 0b1; }
  Conv2dBackwardData(const Conv2dOptions& options, Size2d size) : options_(options), size_(size) {}
  const Conv2dOptions& options() const noexcept { return options_; }
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
  void visit_attributes(AttributeVisitor& visit) override {
    visit_options(visit, options_);
    visit("size", size_);
  }

 private:
  Conv2dOptions options_;
  Size2d size_;
};

/// The gradients of Conv2d with respect to a weight with a kernel of `kernel` and, where `bias`, the bias.
/// Inputs: x and the gradient [N, O, OH, OW]. Linear in both; its own gradients are a Conv2d and a
/// Conv2dBackwardData. In f32 the sums over images are made in parts, one a thread: their bits depend on the
/// number of threads.
class ESPALIER_API Conv2dBackwardWeights final : public OperationOf<Conv2dBackwardWeights> {
 public:
  static constexpr std::string_view kName = "conv2d_backward_weights";
  static KernelSlot slot;

  uint32_t channels_last_inputs() const override { return 0b11; }
  Conv2dBackwardWeights(const Conv2dOptions& options, Size2d kernel, bool bias)
      : options_(options), kernel_(kernel), bias_(bias) {}
  const Conv2dOptions& options() const noexcept { return options_; }
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
  void visit_attributes(AttributeVisitor& visit) override {
    visit_options(visit, options_);
    visit("kernel", kernel_);
    visit("bias", bias_);
  }

 private:
  Conv2dOptions options_;
  Size2d kernel_;
  bool bias_;
};

/// The convolution of `x`, [N, C, H, W], with `weight`, [O, C / groups, KH, KW], plus `bias`, [O], if
/// defined: [N, O, OH, OW] with OH = floor((H + 2 padding - dilation (KH - 1) - 1) / stride) + 1, in
/// channels-last memory whatever that of `x`. Throws ShapeError where sizes or groups do not agree or the
/// kernel does not fit, TypeError unless all are of one type out of f64, f32, f16 and bf16, ValueError for
/// strides, dilations or groups under 1 and paddings under 0.
ESPALIER_API Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
                           const Conv2dOptions& options = {});

}  // namespace espalier
