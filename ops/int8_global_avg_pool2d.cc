#include "ops/int8_global_avg_pool2d.h"

#include <string>

#include "core/error.h"
#include "ops/window_internal.h"

namespace espalier {

void Int8GlobalAvgPool2d::infer(Inputs inputs, OutputSpecs& outputs) const {
  const Tensor& x = inputs[0];
  if (x.dtype() != Dtype::u8) throw TypeError(kName, "x is " + describe(x) + "; expected u8");
  check_image(kName, inputs, x, "x");
  check_quantization(kName, input_, Dtype::u8);
  constexpr int64_t kMostPixels = 2147483647 / 255;
  const int64_t pixels = x.shape()[2] * x.shape()[3];
  if (pixels < 1 || pixels > kMostPixels) {
    throw ShapeError(kName, "images of " + describe(x) + " have " + std::to_string(pixels) +
                                " pixels; expected 1 to " + std::to_string(kMostPixels));
  }
  Shape shape{x.shape()[0], x.shape()[1]};
  if (keepdim_) shape = {x.shape()[0], x.shape()[1], 1, 1};
  outputs.push_back(OutputSpec::fresh(shape, Dtype::f32));
}

Cost Int8GlobalAvgPool2d::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  Cost cost = Operation::cost(inputs, outputs);
  cost.flops = inputs[0].numel();
  return cost;
}

std::vector<AxisTie> Int8GlobalAvgPool2d::axis_ties(Inputs) const {
  return image_ties({0, -1});
}

Tensor int8_global_avg_pool2d(const Tensor& x, const Quantization& input, bool keepdim) {
  return apply_one(Int8GlobalAvgPool2d(input, keepdim), x);
}

}  // namespace espalier
