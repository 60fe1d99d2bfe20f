#pragma once

#include "core/door.h"
#include "ops/quantize.h"

namespace espalier {

/// The mean of each channel of 8-bit images: f32(sum of (q - zero point)) * f32(scale / pixels), the sum
/// exact. x u8 [N, C, H, W], y f32 [N, C], with `keepdim` [N, C, 1, 1]. Not differentiable.
class ESPALIER_API Int8GlobalAvgPool2d final : public OperationOf<Int8GlobalAvgPool2d> {
 public:
  static constexpr std::string_view kName = "int8_global_avg_pool2d";
  static KernelSlot slot;

  Int8GlobalAvgPool2d(const Quantization& input, bool keepdim) : input_(input), keepdim_(keepdim) {}
  const Quantization& input() const noexcept { return input_; }
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  bool differentiable(int) const override { return false; }
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
  void visit_attributes(AttributeVisitor& visit) override {
    visit("scale", input_.scale);
    visit("zero_point", input_.zero_point);
    visit("keepdim", keepdim_);
  }

 private:
  Quantization input_;
  bool keepdim_;
};

/// The same as a function. Throws TypeError unless x is u8; ShapeError unless it is [N, C, H, W] with at
/// least one pixel, and no more than an i32 can sum up; ValueError for a quantisation that u8 does not hold.
ESPALIER_API Tensor int8_global_avg_pool2d(const Tensor& x, const Quantization& input, bool keepdim = false);

}  // namespace espalier
