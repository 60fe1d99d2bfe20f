#include "ops/conv2d.h"

#include <string>

#include "core/error.h"
#include "ops/conv2d_internal.h"
#include "ops/expand.h"
#include "ops/reshape.h"
#include "ops/sum.h"

namespace espalier {
namespace {

Window window_of(const Conv2dOptions& options, Size2d kernel) {
  return {kernel, options.stride, options.padding, options.dilation};
}

Size2d kernel_of(const Shape& weight) {
  return {weight[2], weight[3]};
}

/// Throws what is said of `options` where they alone are wrong.
void check_options(std::string_view name, const Conv2dOptions& options, Size2d kernel) {
  check_window(name, window_of(options, kernel));
  if (options.groups < 1)
    throw ValueError(name, "groups is " + std::to_string(options.groups) + "; expected 1 or more");
}

/// The shape of y for an image and a weight of these shapes.
Shape convolved_shape(std::string_view name, Inputs inputs, const Shape& x, const Shape& weight,
                      const Conv2dOptions& options) {
  const std::string all = " (inputs " + describe(inputs) + ", groups " + std::to_string(options.groups) + ")";
  if (weight[2] < 1 || weight[3] < 1)
    throw ShapeError(name, "the weight's kernel, axes 2 and 3 of " + to_string(weight) + ", is empty" + all);
  check_options(name, options, kernel_of(weight));
  if (x[1] % options.groups != 0 || weight[0] % options.groups != 0) {
    throw ShapeError(name, std::to_string(options.groups) + " groups do not divide " + std::to_string(x[1]) +
                               " input and " + std::to_string(weight[0]) + " output channels" + all);
  }
  if (x[1] / options.groups != weight[1]) {
    throw ShapeError(name, "axis 1 of the weight is " + std::to_string(weight[1]) + "; expected " +
                               std::to_string(x[1] / options.groups) +
                               ", the image's channels divided by the groups" + all);
  }
  return windowed_shape(name, inputs, x, weight[0], window_of(options, kernel_of(weight)));
}

/// Throws ShapeError unless `gradient` has the shape of y.
void check_gradient(std::string_view name, Inputs inputs, const Tensor& gradient, const Shape& y) {
  if (gradient.shape() == y) return;
  throw ShapeError(name, "the gradient is " + describe(gradient) + "; expected " + to_string(y) +
                             " (inputs " + describe(inputs) + ")");
}

OutputSpec channels_last_spec(const Shape& shape, Dtype dtype) {
  checked_count(shape, Conv2d::kName);
  return OutputSpec::fresh(shape, channels_last_strides(shape), dtype);
}

/// All three directions do the same arithmetic: a multiply-add for each weight and each pixel of y.
Cost cost_of(const Shape& y, int64_t weights_of_output, Inputs inputs, std::span<const OutputSpec> outputs) {
  const auto element = static_cast<int64_t>(size_of(inputs[0].dtype()));
  Cost cost{2 * count(y) * weights_of_output, 0};
  for (const Tensor& input : inputs) cost.bytes += input.defined() ? input.numel() * element : 0;
  for (const OutputSpec& output : outputs) cost.bytes += count(output.shape) * element;
  return cost;
}

}  // namespace

Shape convolved_shape(std::string_view name, Inputs inputs, const Conv2dOptions& options) {
  const Tensor &x = inputs[0], &weight = inputs[1];
  check_image(name, inputs, x, "x");
  if (weight.rank() != 4) {
    throw ShapeError(name, "the weight has " + std::to_string(weight.rank()) +
                               " axes; expected 4: O, C / groups, KH, KW (inputs " + describe(inputs) + ")");
  }
  return convolved_shape(name, inputs, x.shape(), weight.shape(), options);
}

void visit_options(AttributeVisitor& visit, Conv2dOptions& options) {
  visit("stride", options.stride);
  visit("padding", options.padding);
  visit("dilation", options.dilation);
  visit("groups", options.groups);
}

void Conv2d::infer(Inputs inputs, OutputSpecs& outputs) const {
  const Tensor &x = inputs[0], &bias = inputs[2];
  check_floating_inputs(kName, bias.defined() ? inputs : inputs.subspan(0, 2));
  const Shape shape = convolved_shape(kName, inputs, options_);
  if (bias.defined() && bias.shape() != Shape{shape[1]}) {
    throw ShapeError(kName, "the bias is " + describe(bias) + "; expected [" + std::to_string(shape[1]) +
                                "], the size of axis 0 of the weight (inputs " + describe(inputs) + ")");
  }
  outputs.push_back(channels_last_spec(shape, x.dtype()));
}

Tensors Conv2d::backward(const BackwardContext& context) const {
  const Tensor& gradient = context.gradient(0);
  Tensors gradients(3);
  if (context.wants(0)) {
    const Shape& x = context.input_shape(0);
    gradients[0] = apply_one(Conv2dBackwardData(options_, {x[2], x[3]}), gradient, context.input(1));
  }
  const bool bias = context.wants(2);
  if (context.wants(1)) {
    const Conv2dBackwardWeights op(options_, kernel_of(context.input_shape(1)), bias);
    const Tensors found = apply(op, {context.input(0), gradient});
    gradients[1] = found[0];
    if (bias) gradients[2] = found[1];
  } else if (bias) {
    gradients[2] = sum(gradient, {0, 2, 3});
  }
  return gradients;
}

Cost Conv2d::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  const Shape& weight = inputs[1].shape();
  return cost_of(outputs[0].shape, weight[1] * weight[2] * weight[3], inputs, outputs);
}

std::vector<AxisTie> Conv2d::axis_ties(Inputs inputs) const {
  std::vector<AxisTie> ties = {{{{0, 0}, {-1, 0}}}};
  // With groups a channel cannot go without the groups' number changing.
  if (options_.groups != 1) return ties;
  ties.push_back({{{0, 1}, {1, 1}}});
  ties.push_back({{{1, 0}, {-1, 1}}});
  if (inputs[2].defined()) ties.back().axes.push_back({2, 0});
  return ties;
}

void Conv2dBackwardData::infer(Inputs inputs, OutputSpecs& outputs) const {
  const Tensor &gradient = inputs[0], &weight = inputs[1];
  check_floating_inputs(kName, inputs);
  check_image(kName, inputs, gradient, "the gradient");
  check_image(kName, inputs, weight, "the weight");
  const Shape x{gradient.shape()[0], weight.shape()[1] * options_.groups, size_.height, size_.width};
  check_gradient(kName, inputs, gradient, convolved_shape(kName, inputs, x, weight.shape(), options_));
  outputs.push_back(channels_last_spec(x, gradient.dtype()));
}

Tensors Conv2dBackwardData::backward(const BackwardContext& context) const {
  const Tensor& gradient = context.gradient(0);  // with respect to images
  Tensors gradients(2);
  if (context.wants(0)) gradients[0] = conv2d(gradient, context.input(1), {}, options_);
  if (context.wants(1)) {
    const Conv2dBackwardWeights op(options_, kernel_of(context.input_shape(1)), false);
    gradients[1] = apply_one(op, gradient, context.input(0));
  }
  return gradients;
}

Cost Conv2dBackwardData::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  const Shape& weight = inputs[1].shape();
  return cost_of(inputs[0].shape(), weight[1] * weight[2] * weight[3], inputs, outputs);
}

std::vector<AxisTie> Conv2dBackwardData::axis_ties(Inputs) const {
  std::vector<AxisTie> ties = {{{{0, 0}, {-1, 0}}}};
  if (options_.groups != 1) return ties;
  ties.push_back({{{0, 1}, {1, 0}}});
  ties.push_back({{{1, 1}, {-1, 1}}});
  return ties;
}

void Conv2dBackwardWeights::infer(Inputs inputs, OutputSpecs& outputs) const {
  const Tensor &x = inputs[0], &gradient = inputs[1];
  check_floating_inputs(kName, inputs);
  check_image(kName, inputs, x, "x");
  check_image(kName, inputs, gradient, "the gradient");
  check_options(kName, options_, kernel_);
  const int64_t channels = gradient.shape()[1];
  const Shape weight{channels, x.shape()[1] / options_.groups, kernel_.height, kernel_.width};
  check_gradient(kName, inputs, gradient, convolved_shape(kName, inputs, x.shape(), weight, options_));
  checked_count(weight, kName);
  outputs.push_back(OutputSpec::fresh(weight, x.dtype()));
  if (bias_) outputs.push_back(OutputSpec::fresh({channels}, x.dtype()));
}

Tensors Conv2dBackwardWeights::backward(const BackwardContext& context) const {
  const Tensor& weight = context.gradient(0);  // with respect to weights and biases
  const Tensor bias = bias_ ? context.gradient(1) : Tensor();
  Tensors gradients(2);
  if (context.wants(0) && weight.defined()) {
    const Shape& x = context.input_shape(0);
    gradients[0] = apply_one(Conv2dBackwardData(options_, {x[2], x[3]}), context.input(1), weight);
  }
  if (context.wants(1)) {
    const Shape& y = context.input_shape(1);
    gradients[1] = weight.defined() ? conv2d(context.input(0), weight, bias, options_)
                                    : expand(reshape(bias, {1, y[1], 1, 1}), y);
  }
  return gradients;
}

Cost Conv2dBackwardWeights::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  const Shape& weight = outputs[0].shape;
  return cost_of(inputs[1].shape(), weight[1] * weight[2] * weight[3], inputs, outputs);
}

Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Conv2dOptions& options) {
  return apply_one(Conv2d(options), x, weight, bias);
}

}  // namespace espalier
