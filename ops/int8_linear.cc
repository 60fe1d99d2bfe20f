#include "ops/int8_linear.h"

#include "core/error.h"
#include "ops/int8_product_internal.h"

namespace espalier {

void Int8Linear::infer(Inputs inputs, OutputSpecs& outputs) const {
  const Tensor &x = inputs[0], &weight = inputs[1];
  if (x.rank() < 1 || weight.rank() != 2 || x.shape().back() != weight.shape()[1]) {
    throw ShapeError(
        kName, "x and weight do not fit; expected [..., in] and [out, in] (inputs " + describe(inputs) + ")");
  }
  Shape shape = x.shape();
  shape[x.rank() - 1] = weight.shape()[0];
  checked_count(shape, kName);
  const OutputSpec y = OutputSpec::fresh(shape, options_.output_dtype);
  check_int8_product(kName, inputs, options_, weight.shape()[0], weight.shape()[1], y);
  outputs.push_back(y);
}

Cost Int8Linear::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  Cost cost = Operation::cost(inputs, outputs);
  cost.flops = 2 * count(outputs[0].shape) * inputs[1].shape()[1];
  return cost;
}

std::vector<AxisTie> Int8Linear::axis_ties(Inputs inputs) const {
  const int last = inputs[0].rank() - 1;
  std::vector<AxisTie> ties;
  for (int i = 0; i < last; ++i) ties.push_back({{{0, i}, {-1, i}}});
  ties.push_back({{{1, 0}, {2, 0}, {-1, last}}});
  if (inputs[3].defined()) ties.back().axes.push_back({3, 0});
  if (inputs[4].defined()) {
    for (int i = 0; i <= last; ++i) ties[static_cast<size_t>(i)].axes.push_back({4, i});
  }
  ties.push_back({{{0, last}, {1, 1}}});
  return ties;
}

Tensor int8_linear(const Tensor& x, const Tensor& weight, const Tensor& scales, const Tensor& bias,
                   const Tensor& residual, const Int8Options& options) {
  return apply_one(Int8Linear(options), x, weight, scales, bias, residual);
}

}  // namespace espalier
