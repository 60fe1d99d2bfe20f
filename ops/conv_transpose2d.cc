#include "ops/conv_transpose2d.h"

#include <algorithm>
#include <limits>
#include <sstream>

#include "ops/add.h"
#include "ops/pad.h"
#include "ops/reshape.h"
#include "ops/window_internal.h"

namespace espalier {
namespace {

constexpr std::string_view kFunction = "conv_transpose2d";

void check_output_padding(const ConvTranspose2dOptions& options) {
  const auto bad = [](int64_t added, int64_t stride, int64_t dilation) {
    return added < 0 || added >= std::max(stride, dilation);
  };
  const Size2d added = options.output_padding, stride = options.stride, dilation = options.dilation;
  if (bad(added.height, stride.height, dilation.height) || bad(added.width, stride.width, dilation.width)) {
    std::ostringstream message;
    message << "output_padding is " << added << "; expected 0 or more, and less than the stride, " << stride
            << ", or the dilation, " << dilation;
    throw ValueError(kFunction, message.str());
  }
}

/// Checks everything and gives the height and width of the output.
Size2d checked_size(Inputs inputs, const ConvTranspose2dOptions& options) {
  const Tensor &x = inputs[0], &weight = inputs[1], &bias = inputs[2];
  check_defined(kFunction, inputs.subspan(0, 2));
  check_floating_inputs(kFunction, bias.defined() ? inputs : inputs.subspan(0, 2));
  check_image(kFunction, inputs, x, "x");
  check_image(kFunction, inputs, weight, "the weight");
  const Size2d kernel(weight.shape()[2], weight.shape()[3]);
  const std::string all = " (inputs " + describe(inputs) + ", groups " + std::to_string(options.groups) + ")";
  if (kernel.height < 1 || kernel.width < 1)
    throw ShapeError(kFunction, "the weight's kernel, axes 2 and 3, is empty" + all);
  check_window(kFunction, {kernel, options.stride, options.padding, options.dilation});
  check_output_padding(options);
  if (options.groups < 1)
    throw ValueError(kFunction, "groups is " + std::to_string(options.groups) + "; expected 1 or more");
  if (weight.shape()[0] != x.shape()[1] || x.shape()[1] % options.groups != 0) {
    throw ShapeError(kFunction,
                     "axis 0 of the weight and axis 1 of x should be one number of channels that " +
                         std::to_string(options.groups) + " groups divide" + all);
  }
  const int64_t channels = checked_count({weight.shape()[1], options.groups}, kFunction);
  // What check_window promises of the options, so that no sum below overflows.
  if (std::max(x.shape()[2], x.shape()[3]) > std::numeric_limits<int32_t>::max())
    throw ShapeError(kFunction, "x has more than 2147483647 rows or columns" + all);
  if (bias.defined() && bias.shape() != Shape{channels}) {
    throw ShapeError(kFunction,
                     "the bias is " + describe(bias) + "; expected [" + std::to_string(channels) + "]" + all);
  }
  const auto grown = [](int64_t size, int64_t taps, int64_t stride, int64_t padding, int64_t dilation,
                        int64_t added) {
    return (size - 1) * stride - 2 * padding + dilation * (taps - 1) + added + 1;
  };
  const Size2d size(grown(x.shape()[2], kernel.height, options.stride.height, options.padding.height,
                          options.dilation.height, options.output_padding.height),
                    grown(x.shape()[3], kernel.width, options.stride.width, options.padding.width,
                          options.dilation.width, options.output_padding.width));
  if (x.shape()[2] < 1 || x.shape()[3] < 1 || size.height < 1 || size.width < 1) {
    std::ostringstream message;
    message << "an output of " << size << " would have no elements" << all;
    throw ShapeError(kFunction, message.str());
  }
  return size;
}

}  // namespace

Tensor conv_transpose2d(const Tensor& x, const Tensor& weight, const Tensor& bias,
                        const ConvTranspose2dOptions& options) {
  const Tensor inputs[] = {x, weight, bias};
  const Size2d size = checked_size(inputs, options);
  // A whole stride that the output is longer by belongs to a further row of x, which is zero.
  const Dims after = {0, 0, options.output_padding.height / options.stride.height,
                      options.output_padding.width / options.stride.width};
  const Tensor longer = after[2] > 0 || after[3] > 0 ? pad(x, {0, 0, 0, 0}, after) : x;
  const Conv2dOptions forward{.stride = options.stride,
                              .padding = options.padding,
                              .dilation = options.dilation,
                              .groups = options.groups};
  const Tensor y = apply_one(Conv2dBackwardData(forward, size), longer, weight);
  return bias.defined() ? y + reshape(bias, {1, bias.shape()[0], 1, 1}) : y;
}

Tensor conv_transpose1d(const Tensor& x, const Tensor& weight, const Tensor& bias,
                        const ConvTranspose1dOptions& options) {
  const Tensor inputs[] = {x, weight};
  check_defined("conv_transpose1d", inputs);
  if (x.rank() != 3 || weight.rank() != 3) {
    throw ShapeError("conv_transpose1d", "x and weight are " + describe(inputs) +
                                             "; expected 3 axes each: N, C, L and C, O / groups, K");
  }
  const ConvTranspose2dOptions image{.stride = {1, options.stride},
                                     .padding = {0, options.padding},
                                     .output_padding = {0, options.output_padding},
                                     .dilation = {1, options.dilation},
                                     .groups = options.groups};
  return squeeze(conv_transpose2d(unsqueeze(x, 2), unsqueeze(weight, 2), bias, image), 2);
}

}  // namespace espalier
