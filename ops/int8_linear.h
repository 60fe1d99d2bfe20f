#pragma once

#include "ops/int8_product.h"

namespace espalier {

/// A linear layer on 8-bit integers, with what follows it: y = relu(x W^T + bias + residual), exactly as
/// Int8Options says. x [..., in], weight [out, in], y [..., out] row-major. Not differentiable.
class ESPALIER_API Int8Linear final : public OperationOf<Int8Linear> {
 public:
  static constexpr std::string_view kName = "int8_linear";
  static KernelSlot slot;

  explicit Int8Linear(const Int8Options& options = {}) : options_(options) {}
  const Int8Options& options() const noexcept { return options_; }
  uint32_t optional_inputs() const override { return 0b11000; }
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  bool differentiable(int) const override { return false; }
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
  void visit_attributes(AttributeVisitor& visit) override { visit_options(visit, options_); }

 private:
  Int8Options options_;
};

/// The same as a function. Throws TypeError for other types than Int8Options names, ShapeError for sizes that
/// do not agree and sums of more than kMostInt8Products, ValueError for scales that are not positive and
/// finite or zero points beyond u8.
ESPALIER_API Tensor int8_linear(const Tensor& x, const Tensor& weight, const Tensor& scales,
                                const Tensor& bias, const Tensor& residual, const Int8Options& options);

}  // namespace espalier
