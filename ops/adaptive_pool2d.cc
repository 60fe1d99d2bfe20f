#include "ops/adaptive_pool2d.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <sstream>

#include "ops/avg_pool2d.h"
#include "ops/max_pool2d.h"
#include "ops/mean.h"
#include "ops/window_internal.h"

namespace espalier {
namespace {

/// Checks the pooling of `image`, of shape [N, C, ...], to `size`, both of which no arithmetic on windows may
/// overflow.
void check_pooling(std::string_view name, Inputs inputs, Size2d image, Size2d size) {
  constexpr int64_t kLargest = std::numeric_limits<int32_t>::max();
  if (std::min(size.height, size.width) < 0 || std::max(size.height, size.width) > kLargest) {
    std::ostringstream message;
    message << "the output's size is " << size << "; expected 0 to " << kLargest;
    throw ValueError(name, message.str());
  }
  if (std::min(image.height, image.width) < 1 || std::max(image.height, image.width) > kLargest) {
    std::ostringstream message;
    message << "images of " << image << " cannot be pooled; expected 1 to " << kLargest
            << " rows and columns (inputs " << describe(inputs) << ")";
    throw ShapeError(name, message.str());
  }
}

/// What pooling x to `size` gives.
OutputSpec pooled_spec(std::string_view name, Inputs inputs, Size2d size) {
  const Tensor& x = inputs[0];
  check_floating_inputs(name, inputs);
  check_image(name, inputs, x, "x");
  check_pooling(name, inputs, {x.shape()[2], x.shape()[3]}, size);
  const Shape shape{x.shape()[0], x.shape()[1], size.height, size.width};
  checked_count(shape, name);
  return OutputSpec::fresh(shape, image_strides(x, shape), x.dtype());
}

/// Elements of all windows of all planes: on each side a window has at most H / OH + 2 rows.
Cost window_cost(Inputs inputs, const OutputSpec& output) {
  const Shape &x = inputs[0].shape(), &y = output.shape;
  const int64_t results = count(y), element = static_cast<int64_t>(size_of(inputs[0].dtype()));
  if (results == 0) return {0, 0};
  const int64_t rows = (x[2] + y[2] - 1) / y[2], columns = (x[3] + y[3] - 1) / y[3];
  return {results * rows * columns, (inputs[0].numel() + results) * element};
}

/// The kernel of plain pooling where windows of one size tile the image.
std::optional<Size2d> kernel_of(const Tensor& x, Size2d size) {
  if (x.rank() != 4 || size.height < 1 || size.width < 1) return {};
  const int64_t height = x.shape()[2], width = x.shape()[3];
  if (height < 1 || width < 1 || height % size.height != 0 || width % size.width != 0) return {};
  return Size2d(height / size.height, width / size.width);
}

}  // namespace

void AdaptiveAvgPool2d::infer(Inputs inputs, OutputSpecs& outputs) const {
  outputs.push_back(pooled_spec(kName, inputs, size_));
}

Tensors AdaptiveAvgPool2d::backward(const BackwardContext& context) const {
  const Shape& x = context.input_shape(0);
  return {apply_one(AdaptiveAvgPool2dBackward({x[2], x[3]}), context.gradient(0))};
}

Cost AdaptiveAvgPool2d::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  return window_cost(inputs, outputs[0]);
}

std::vector<AxisTie> AdaptiveAvgPool2d::axis_ties(Inputs) const {
  return image_ties({0, -1});
}

void AdaptiveAvgPool2dBackward::infer(Inputs inputs, OutputSpecs& outputs) const {
  const Tensor& gradient = inputs[0];
  check_floating_inputs(kName, inputs);
  check_image(kName, inputs, gradient, "the gradient");
  const Shape& pooled = gradient.shape();
  check_pooling(kName, inputs, size_, {pooled[2], pooled[3]});
  const Shape shape{pooled[0], pooled[1], size_.height, size_.width};
  checked_count(shape, kName);
  outputs.push_back(OutputSpec::fresh(shape, image_strides(gradient, shape), gradient.dtype()));
}

Tensors AdaptiveAvgPool2dBackward::backward(const BackwardContext& context) const {
  const Shape& pooled = context.input_shape(0);
  return {apply_one(AdaptiveAvgPool2d({pooled[2], pooled[3]}), context.gradient(0))};
}

std::vector<AxisTie> AdaptiveAvgPool2dBackward::axis_ties(Inputs) const {
  return image_ties({0, -1});
}

void AdaptiveMaxPool2d::infer(Inputs inputs, OutputSpecs& outputs) const {
  outputs.push_back(pooled_spec(kName, inputs, size_));
  const Tensor& x = inputs[0];
  if (x.shape()[2] * x.shape()[3] > std::numeric_limits<int32_t>::max()) {
    throw ShapeError(kName, "images of " + describe(x) + " have more elements than an i32 can number");
  }
  outputs.push_back(OutputSpec::fresh(outputs[0].shape, outputs[0].strides, Dtype::i32));
}

Tensors AdaptiveMaxPool2d::backward(const BackwardContext& context) const {
  const Shape& x = context.input_shape(0);
  return {apply_one(MaxPool2dBackward({x[2], x[3]}), context.gradient(0), context.output(1))};
}

Cost AdaptiveMaxPool2d::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  Cost cost = window_cost(inputs, outputs[0]);
  cost.bytes += count(outputs[1].shape) * 4;
  return cost;
}

std::vector<AxisTie> AdaptiveMaxPool2d::axis_ties(Inputs) const {
  return image_ties({0, -1, -2});
}

Tensor adaptive_avg_pool2d(const Tensor& x, Size2d size) {
  check_defined(AdaptiveAvgPool2d::kName, x);
  if (const auto kernel = kernel_of(x, size)) {
    const bool whole = size == Size2d(1) && x.dtype() <= Dtype::bf16;
    return whole ? mean(x, {2, 3}, true) : avg_pool2d(x, *kernel);
  }
  return apply_one(AdaptiveAvgPool2d(size), x);
}

Tensor adaptive_max_pool2d(const Tensor& x, Size2d size) {
  return adaptive_max_pool2d_with_indices(x, size).first;
}

std::pair<Tensor, Tensor> adaptive_max_pool2d_with_indices(const Tensor& x, Size2d size) {
  check_defined(AdaptiveMaxPool2d::kName, x);
  if (const auto kernel = kernel_of(x, size)) return max_pool2d_with_indices(x, *kernel);
  const Tensors pooled = apply(AdaptiveMaxPool2d(size), {x});
  return {pooled[0], pooled[1]};
}

}  // namespace espalier
