#pragma once

#include <optional>

#include "core/door.h"
#include "ops/window.h"

namespace espalier {

/// How a pooling window slides.
struct MaxPool2dOptions {
  std::optional<Size2d> stride = {};  ///< the kernel's size if not given
  Size2d padding = 0;                 ///< at most half the kernel; what lies outside is never the largest
  Size2d dilation = 1;                ///< distance between the elements of a window
};

/// What takes the largest of each window.
class ESPALIER_API MaxPooling : public Operation {
 public:
  explicit MaxPooling(Size2d kernel, const MaxPool2dOptions& options = {})
      : kernel_(kernel), options_(options) {}
  Size2d kernel() const noexcept { return kernel_; }
  Size2d stride() const noexcept { return options_.stride.value_or(kernel_); }
  Size2d padding() const noexcept { return options_.padding; }
  Size2d dilation() const noexcept { return options_.dilation; }
  void visit_attributes(AttributeVisitor& visit) override {
    visit("kernel", kernel_);
    options_.stride = stride();
    visit("stride", *options_.stride);
    visit("padding", options_.padding);
    visit("dilation", options_.dilation);
  }

 private:
  Size2d kernel_;
  MaxPool2dOptions options_;
};

/// The largest value of each window, and (output 1, i32) where it was: row * width + column of the image, the
/// first of equals. NaN counts as the largest. A window that a dilation carries past the whole image gives
/// -inf and -1.
class ESPALIER_API MaxPool2d final : public OperationOf<MaxPool2d, MaxPooling> {
 public:
  static constexpr std::string_view kName = "max_pool2d";
  static KernelSlot slot;

  using OperationOf::OperationOf;
  uint32_t channels_last_inputs() const override { return 0b1; }
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0, .outputs = 1u << 1}; }
  bool differentiable(int output) const override { return output == 0; }
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
};

/// Puts each element of the first input where the second one says, on images of `size`, and zero elsewhere;
/// elements that meet are added. The gradient of MaxPool2d.
class ESPALIER_API MaxPool2dBackward final : public OperationOf<MaxPool2dBackward> {
 public:
  static constexpr std::string_view kName = "max_pool2d_backward";
  static KernelSlot slot;

  explicit MaxPool2dBackward(Size2d size) : size_(size) {}
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 1u << 1, .outputs = 0}; }
  void visit_attributes(AttributeVisitor& visit) override { visit("size", size_); }

 private:
  Size2d size_;
};

/// Takes from each image of the first input the elements that the second one names: the gradient of
/// MaxPool2dBackward.
class ESPALIER_API MaxPool2dTake final : public OperationOf<MaxPool2dTake> {
 public:
  static constexpr std::string_view kName = "max_pool2d_take";
  static KernelSlot slot;

  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 1u << 1, .outputs = 0}; }
};

/// The largest value of each window of `x`, [N, C, H, W]: [N, C, OH, OW] with OH = floor((H + 2 padding -
/// dilation (kernel - 1) - 1) / stride) + 1, in channels-last memory where `x` is. Throws ShapeError for
/// other ranks and where no window fits, TypeError unless x is f64, f32, f16 or bf16, ValueError for sizes,
/// strides or dilations under 1 and a padding under 0 or over half the kernel.
ESPALIER_API Tensor max_pool2d(const Tensor& x, Size2d kernel, const MaxPool2dOptions& options = {});
/// The same with the indices, i32.
ESPALIER_API std::pair<Tensor, Tensor> max_pool2d_with_indices(const Tensor& x, Size2d kernel,
                                                               const MaxPool2dOptions& options = {});

}  // namespace espalier
