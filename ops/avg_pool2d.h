#pragma once

#include <optional>

#include "core/door.h"
#include "ops/window.h"

namespace espalier {

/// How a pooling window slides.
struct AvgPool2dOptions {
  std::optional<Size2d> stride = {};  ///< the kernel's size if not given
  Size2d padding = 0;                 ///< zeros around the image, at most half the kernel
  bool count_include_pad = true;  ///< divide by the kernel's size; false: by the elements inside the image
};

/// The mean of each window.
class ESPALIER_API AvgPool2d final : public OperationOf<AvgPool2d> {
 public:
  static constexpr std::string_view kName = "avg_pool2d";
  static KernelSlot slot;

  explicit AvgPool2d(Size2d kernel, const AvgPool2dOptions& options = {})
      : kernel_(kernel), options_(options) {}
  Size2d kernel() const noexcept { return kernel_; }
  const AvgPool2dOptions& options() const noexcept { return options_; }
  Size2d stride() const noexcept { return options_.stride.value_or(kernel_); }
  uint32_t channels_last_inputs() const override { return 0b1; }
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0, .outputs = 0}; }
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
  void visit_attributes(AttributeVisitor& visit) override {
    visit("kernel", kernel_);
    options_.stride = stride();
    visit("stride", *options_.stride);
    visit("padding", options_.padding);
    visit("count_include_pad", options_.count_include_pad);
  }

 private:
  Size2d kernel_;
  AvgPool2dOptions options_;
};

/// Spreads each element over its window on images of `size`: the gradient of AvgPool2d, whose own gradient is
/// AvgPool2d again.
class ESPALIER_API AvgPool2dBackward final : public OperationOf<AvgPool2dBackward> {
 public:
  static constexpr std::string_view kName = "avg_pool2d_backward";
  static KernelSlot slot;

  AvgPool2dBackward(Size2d size, const AvgPool2d& forward) : size_(size), forward_(forward) {}
  const AvgPool2d& forward() const noexcept { return forward_; }
  uint32_t channels_last_inputs() const override { return 0b1; }
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0, .outputs = 0}; }
  void visit_attributes(AttributeVisitor& visit) override {
    visit("size", size_);
    forward_.visit_attributes(visit);
  }

 private:
  Size2d size_;
  AvgPool2d forward_;
};

/// The mean of each window of `x`, [N, C, H, W]: [N, C, OH, OW] with OH = floor((H + 2 padding - kernel) /
/// stride) + 1, in channels-last memory where `x` is. Throws ShapeError for other ranks and where no window
/// fits, TypeError unless x is f64, f32, f16 or bf16, ValueError for sizes or strides under 1 and a padding
/// under 0 or over half the kernel.
ESPALIER_API Tensor avg_pool2d(const Tensor& x, Size2d kernel, const AvgPool2dOptions& options = {});

}  // namespace espalier
