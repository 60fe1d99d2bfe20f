#pragma once

#include "ops/conv2d.h"
#include "ops/int8_product.h"

namespace espalier {

struct Int8Conv2dOptions {
  Conv2dOptions conv = {};  ///< what lies outside the image counts as zero: x's zero point
  Int8Options product = {};
};

/// A 2-d convolution on 8-bit integers, with what follows it: y = relu(conv2d(x, weight) + bias + residual),
/// exactly as Int8Options says. x [N, C, H, W], weight [O, C / groups, KH, KW], y [N, O, OH, OW] in
/// channels-last memory. Not differentiable.
class ESPALIER_API Int8Conv2d final : public OperationOf<Int8Conv2d> {
 public:
  static constexpr std::string_view kName = "int8_conv2d";
  static KernelSlot slot;

  explicit Int8Conv2d(const Int8Conv2dOptions& options = {}) : options_(options) {}
  const Int8Conv2dOptions& options() const noexcept { return options_; }
  uint32_t optional_inputs() const override { return 0b11000; }
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  bool differentiable(int) const override { return false; }
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
  void visit_attributes(AttributeVisitor& visit) override {
    visit_options(visit, options_.conv);
    visit_options(visit, options_.product);
  }

 private:
  Int8Conv2dOptions options_;
};

/// The same as a function. Throws what conv2d() throws of sizes, and of everything else what int8_linear()
/// throws.
ESPALIER_API Tensor int8_conv2d(const Tensor& x, const Tensor& weight, const Tensor& scales,
                                const Tensor& bias, const Tensor& residual, const Int8Conv2dOptions& options);

}  // namespace espalier
