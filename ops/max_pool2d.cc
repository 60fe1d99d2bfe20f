#include "ops/max_pool2d.h"

#include <limits>

#include "core/error.h"
#include "ops/window_internal.h"

namespace espalier {
namespace {

void check_pooled(std::string_view name, Inputs inputs) {
  if (!inputs[1].defined() || inputs[1].dtype() != Dtype::i32)
    throw TypeError(name, "indices are " + describe(inputs[1]) + "; expected i32");
  check_floating_inputs(name, inputs.subspan(0, 1));
  check_image(name, inputs, inputs[0], "the first input");
  check_image(name, inputs, inputs[1], "the second input");
}

}  // namespace

void MaxPool2d::infer(Inputs inputs, OutputSpecs& outputs) const {
  const Tensor& x = inputs[0];
  check_floating_inputs(kName, inputs);
  const Shape shape = max_pooled_shape(kName, inputs, {kernel(), stride(), padding(), dilation()});
  if (x.shape()[2] * x.shape()[3] > std::numeric_limits<int32_t>::max()) {
    throw ShapeError(kName, "images of " + describe(x) + " have more elements than an i32 can number");
  }
  const Strides strides = image_strides(x, shape);
  outputs.push_back(OutputSpec::fresh(shape, strides, x.dtype()));
  outputs.push_back(OutputSpec::fresh(shape, strides, Dtype::i32));
}

Tensors MaxPool2d::backward(const BackwardContext& context) const {
  const Shape& x = context.input_shape(0);
  return {apply_one(MaxPool2dBackward({x[2], x[3]}), context.gradient(0), context.output(1))};
}

Cost MaxPool2d::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  const int64_t results = count(outputs[0].shape);
  const auto element = static_cast<int64_t>(size_of(inputs[0].dtype()));
  return {results * kernel().height * kernel().width, (inputs[0].numel() + results) * element + results * 4};
}

std::vector<AxisTie> MaxPool2d::axis_ties(Inputs) const {
  return image_ties({0, -1, -2});
}

void MaxPool2dBackward::infer(Inputs inputs, OutputSpecs& outputs) const {
  check_pooled(kName, inputs);
  const Shape& pooled = inputs[0].shape();
  if (pooled != inputs[1].shape())
    throw ShapeError(kName, "the gradient and the indices differ in shape: " + describe(inputs));
  const Shape shape{pooled[0], pooled[1], size_.height, size_.width};
  checked_count(shape, kName);
  // The indices lie as the pooled image does; the gradient may come in any layout.
  outputs.push_back(OutputSpec::fresh(shape, image_strides(inputs[1], shape), inputs[0].dtype()));
}

Tensors MaxPool2dBackward::backward(const BackwardContext& context) const {
  return {apply_one(MaxPool2dTake(), context.gradient(0), context.input(1)), {}};
}

void MaxPool2dTake::infer(Inputs inputs, OutputSpecs& outputs) const {
  check_pooled(kName, inputs);
  const Shape &image = inputs[0].shape(), &taken = inputs[1].shape();
  if (image[0] != taken[0] || image[1] != taken[1])
    throw ShapeError(kName, "images and indices differ in axis 0 or 1: " + describe(inputs));
  outputs.push_back(OutputSpec::fresh(taken, image_strides(inputs[1], taken), inputs[0].dtype()));
}

Tensors MaxPool2dTake::backward(const BackwardContext& context) const {
  const Shape& image = context.input_shape(0);
  return {apply_one(MaxPool2dBackward({image[2], image[3]}), context.gradient(0), context.input(1)), {}};
}

Tensor max_pool2d(const Tensor& x, Size2d kernel, const MaxPool2dOptions& options) {
  return apply_one(MaxPool2d(kernel, options), x);
}

std::pair<Tensor, Tensor> max_pool2d_with_indices(const Tensor& x, Size2d kernel,
                                                  const MaxPool2dOptions& options) {
  const Tensors pooled = apply(MaxPool2d(kernel, options), {x});
  return {pooled[0], pooled[1]};
}

}  // namespace espalier
