#include "ops/avg_pool2d.h"

#include <sstream>

#include "core/error.h"
#include "ops/window_internal.h"

namespace espalier {
namespace {

/// Checks the operation that pools images of `image`'s shape and gives the pooled shape.
Shape pooled_shape(std::string_view name, Inputs inputs, const Shape& image, const AvgPool2d& op) {
  const Size2d kernel = op.kernel(), padding = op.options().padding;
  const Window window{kernel, op.stride(), padding};
  check_window(name, window);
  if (2 * padding.height > kernel.height || 2 * padding.width > kernel.width) {
    std::ostringstream message;
    message << "padding is " << padding << "; expected at most half the kernel, " << kernel;
    throw ValueError(name, message.str());
  }
  return windowed_shape(name, inputs, image, image[1], window);
}

}  // namespace

void AvgPool2d::infer(Inputs inputs, OutputSpecs& outputs) const {
  const Tensor& x = inputs[0];
  check_floating_inputs(kName, inputs);
  check_image(kName, inputs, x, "x");
  const Shape shape = pooled_shape(kName, inputs, x.shape(), *this);
  outputs.push_back(OutputSpec::fresh(shape, image_strides(x, shape), x.dtype()));
}

Tensors AvgPool2d::backward(const BackwardContext& context) const {
  const Shape& x = context.input_shape(0);
  return {apply_one(AvgPool2dBackward({x[2], x[3]}, *this), context.gradient(0))};
}

Cost AvgPool2d::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  const int64_t results = count(outputs[0].shape);
  const auto element = static_cast<int64_t>(size_of(inputs[0].dtype()));
  return {results * kernel_.height * kernel_.width, (inputs[0].numel() + results) * element};
}

std::vector<AxisTie> AvgPool2d::axis_ties(Inputs) const {
  return image_ties({0, -1});
}

void AvgPool2dBackward::infer(Inputs inputs, OutputSpecs& outputs) const {
  const Tensor& gradient = inputs[0];
  check_floating_inputs(kName, inputs);
  check_image(kName, inputs, gradient, "the gradient");
  const Shape shape{gradient.shape()[0], gradient.shape()[1], size_.height, size_.width};
  checked_count(shape, kName);
  const Shape expected = pooled_shape(kName, inputs, shape, forward_);
  if (gradient.shape() != expected) {
    throw ShapeError(kName, "the gradient is " + describe(gradient) + "; pooling " + to_string(shape) +
                                " gives " + to_string(expected));
  }
  outputs.push_back(OutputSpec::fresh(shape, image_strides(gradient, shape), gradient.dtype()));
}

Tensors AvgPool2dBackward::backward(const BackwardContext& context) const {
  return {apply_one(forward_, context.gradient(0))};
}

Tensor avg_pool2d(const Tensor& x, Size2d kernel, const AvgPool2dOptions& options) {
  return apply_one(AvgPool2d(kernel, options), x);
}

}  // namespace espalier
