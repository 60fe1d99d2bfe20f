#include "ops/int8_conv2d.h"

#include "ops/conv2d_internal.h"
#include "ops/int8_product_internal.h"

namespace espalier {

void Int8Conv2d::infer(Inputs inputs, OutputSpecs& outputs) const {
  const Shape shape = convolved_shape(kName, inputs, options_.conv);
  checked_count(shape, kName);
  const OutputSpec y = OutputSpec::fresh(shape, channels_last_strides(shape), options_.product.output_dtype);
  const Shape& filters = inputs[1].shape();
  check_int8_product(kName, inputs, options_.product, filters[0], filters[1] * filters[2] * filters[3], y);
  outputs.push_back(y);
}

Cost Int8Conv2d::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  const Shape& weight = inputs[1].shape();
  Cost cost = Operation::cost(inputs, outputs);
  cost.flops = 2 * count(outputs[0].shape) * weight[1] * weight[2] * weight[3];
  return cost;
}

std::vector<AxisTie> Int8Conv2d::axis_ties(Inputs inputs) const {
  const bool residual = inputs[4].defined();
  std::vector<AxisTie> ties = {{{{0, 0}, {-1, 0}}}};
  if (residual) ties[0].axes.push_back({4, 0});
  // With groups a channel cannot go without the groups' number changing.
  if (options_.conv.groups != 1) return ties;
  ties.push_back({{{0, 1}, {1, 1}}});
  ties.push_back({{{1, 0}, {2, 0}, {-1, 1}}});
  if (inputs[3].defined()) ties.back().axes.push_back({3, 0});
  if (residual) ties.back().axes.push_back({4, 1});
  return ties;
}

Tensor int8_conv2d(const Tensor& x, const Tensor& weight, const Tensor& scales, const Tensor& bias,
                   const Tensor& residual, const Int8Conv2dOptions& options) {
  return apply_one(Int8Conv2d(options), x, weight, scales, bias, residual);
}

}  // namespace espalier
