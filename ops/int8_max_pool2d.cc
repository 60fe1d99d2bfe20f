#include "ops/int8_max_pool2d.h"

#include "core/error.h"
#include "ops/window_internal.h"

namespace espalier {

void Int8MaxPool2d::infer(Inputs inputs, OutputSpecs& outputs) const {
  if (inputs[0].dtype() != Dtype::u8) throw TypeError(kName, "x is " + describe(inputs[0]) + "; expected u8");
  const Shape shape = max_pooled_shape(kName, inputs, {kernel(), stride(), padding(), dilation()});
  outputs.push_back(OutputSpec::fresh(shape, image_strides(inputs[0], shape), Dtype::u8));
}

Cost Int8MaxPool2d::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  const int64_t results = count(outputs[0].shape);
  return {results * kernel().height * kernel().width, inputs[0].numel() + results};
}

std::vector<AxisTie> Int8MaxPool2d::axis_ties(Inputs) const {
  return image_ties({0, -1});
}

Tensor int8_max_pool2d(const Tensor& x, Size2d kernel, const MaxPool2dOptions& options) {
  return apply_one(Int8MaxPool2d(kernel, options), x);
}

}  // namespace espalier
