#pragma once

#include "ops/conv2d.h"

namespace espalier {

/// How a transposed convolution's kernel slides over its output.
struct ConvTranspose2dOptions {
  Size2d stride = 1;
  Size2d padding = 0;  ///< rows and columns left out all around the output
  /// Rows and columns added at the output's end: of the sizes that a convolution brings to that of x, which
  /// one is meant. Under the stride or the dilation.
  Size2d output_padding = 0;
  Size2d dilation = 1;
  int64_t groups = 1;
};

/// The transpose of conv2d: what takes the gradient of its output to that of its input, Conv2dBackwardData,
/// as an operation of its own. `x` is [N, C, H, W], `weight` [C, O / groups, KH, KW], `bias` [O] or
/// undefined; y[n, o, h, w] = bias[o] + sum over c, i, j, p, q of x[n, c, p, q] * weight[c, o within its
/// group, i, j] where h = p * stride - padding + i * dilation and w = q * stride - padding + j * dilation.
/// The result is [N, O, OH, OW], OH = (H - 1) stride - 2 padding + dilation (KH - 1) + output_padding + 1, in
/// channels-last memory. Throws ShapeError where sizes or groups do not agree or nothing is left, TypeError
/// unless all are of one type out of f64, f32, f16 and bf16, ValueError for strides, dilations or groups
/// under 1, paddings under 0, and an output_padding that is neither under the stride nor under the dilation.
ESPALIER_API Tensor conv_transpose2d(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
                                     const ConvTranspose2dOptions& options = {});

/// The same for signals.
struct ConvTranspose1dOptions {
  int64_t stride = 1;
  int64_t padding = 0;
  int64_t output_padding = 0;
  int64_t dilation = 1;
  int64_t groups = 1;
};

/// The transpose of conv1d: `x` [N, C, L], `weight` [C, O / groups, K], `bias` [O] or undefined. It is
/// conv_transpose2d of images of height 1, seen without a copy.
ESPALIER_API Tensor conv_transpose1d(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
                                     const ConvTranspose1dOptions& options = {});

}  // namespace espalier
