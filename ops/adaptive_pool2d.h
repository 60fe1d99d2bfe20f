#pragma once

#include <utility>

#include "core/door.h"
#include "ops/window.h"

namespace espalier {

/// The means of windows that divide an image of H rows as evenly as may be among OH: window i covers the rows
/// from floor(i H / OH) to ceil((i + 1) H / OH), exclusive; columns likewise (PyTorch's rule). Windows
/// overlap where OH does not divide H, and repeat where it is larger.
class ESPALIER_API AdaptiveAvgPool2d final : public OperationOf<AdaptiveAvgPool2d> {
 public:
  static constexpr std::string_view kName = "adaptive_avg_pool2d";
  static KernelSlot slot;

  explicit AdaptiveAvgPool2d(Size2d size) : size_(size) {}
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0, .outputs = 0}; }
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
  void visit_attributes(AttributeVisitor& visit) override { visit("size", size_); }

 private:
  Size2d size_;
};

/// Spreads each element over its window on images of `size`: the gradient of AdaptiveAvgPool2d, whose own
/// gradient is AdaptiveAvgPool2d again.
class ESPALIER_API AdaptiveAvgPool2dBackward final : public OperationOf<AdaptiveAvgPool2dBackward> {
 public:
  static constexpr std::string_view kName = "adaptive_avg_pool2d_backward";
  static KernelSlot slot;

  explicit AdaptiveAvgPool2dBackward(Size2d size) : size_(size) {}
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0, .outputs = 0}; }
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
  void visit_attributes(AttributeVisitor& visit) override { visit("size", size_); }

 private:
  Size2d size_;
};

/// The largest value of each such window, and (output 1, i32) where it was, as MaxPool2d has it: row * width
/// + column of the image, the first of equals; NaN counts as the largest.
class ESPALIER_API AdaptiveMaxPool2d final : public OperationOf<AdaptiveMaxPool2d> {
 public:
  static constexpr std::string_view kName = "adaptive_max_pool2d";
  static KernelSlot slot;

  explicit AdaptiveMaxPool2d(Size2d size) : size_(size) {}
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0, .outputs = 1u << 1}; }
  bool differentiable(int output) const override { return output == 0; }
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
  void visit_attributes(AttributeVisitor& visit) override { visit("size", size_); }

 private:
  Size2d size_;
};

/// `x`, [N, C, H, W], pooled to [N, C, size.height, size.width] by means over the windows above, in
/// channels-last memory where `x` is. Where the sizes divide, this is avg_pool2d, or, to a single pixel,
/// mean. Throws ShapeError for other ranks and images without rows or columns, TypeError unless x is f64,
/// f32, f16 or bf16, ValueError for sizes under 0.
ESPALIER_API Tensor adaptive_avg_pool2d(const Tensor& x, Size2d size);

/// The same with the largest value of each window; where the sizes divide, max_pool2d.
ESPALIER_API Tensor adaptive_max_pool2d(const Tensor& x, Size2d size);
/// The same with the indices, i32.
ESPALIER_API std::pair<Tensor, Tensor> adaptive_max_pool2d_with_indices(const Tensor& x, Size2d size);

}  // namespace espalier
