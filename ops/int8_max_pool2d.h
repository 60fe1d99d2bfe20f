#pragma once

#include "ops/max_pool2d.h"

namespace espalier {

/// The largest value of each window of 8-bit images, whatever they stand for: u8 [N, C, H, W] to
/// [N, C, OH, OW], in channels-last memory where x is. What MaxPool2d has besides, the places of the largest,
/// is left out. A window that a dilation carries past the whole image gives 0. Not differentiable.
class ESPALIER_API Int8MaxPool2d final : public OperationOf<Int8MaxPool2d, MaxPooling> {
 public:
  static constexpr std::string_view kName = "int8_max_pool2d";
  static KernelSlot slot;

  using OperationOf::OperationOf;
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  bool differentiable(int) const override { return false; }
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
};

/// The same as a function. Throws TypeError unless x is u8, and what max_pool2d() throws of sizes.
ESPALIER_API Tensor int8_max_pool2d(const Tensor& x, Size2d kernel, const MaxPool2dOptions& options = {});

}  // namespace espalier
