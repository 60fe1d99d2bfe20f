#pragma once

#include "ops/fused_conv2d.h"
#include "ops/window_internal.h"

namespace espalier {

/// The shape of what a convolution of `inputs`, image and weight first, puts out. Throws on behalf of `name`
/// what conv2d() throws of their sizes and the options.
Shape convolved_shape(std::string_view name, Inputs inputs, const Conv2dOptions& options);

/// The sizes of a convolution, whichever direction is computed.
struct ConvSizes {
  Shape x, weight, y;
  WindowAxis rows, columns;
  int64_t groups;

  ConvSizes(const Conv2dOptions& o, const Shape& x_, const Shape& weight_, const Shape& y_)
      : x(x_),
        weight(weight_),
        y(y_),
        rows{x[2], weight[2], o.stride.height, o.padding.height, o.dilation.height},
        columns{x[3], weight[3], o.stride.width, o.padding.width, o.dilation.width},
        groups(o.groups) {}
};

/// Why a fused convolution cannot write over its residual, the last of the inputs, where it cannot.
inline const char* fused_conv2d_overlaps(Inputs inputs) {
  for (const Tensor& read : inputs.first(3)) {
    if (inputs[3].defined() && read.defined() && read.body().storage == inputs[3].body().storage)
      return "the residual, which is overwritten, shares memory with what is read";
  }
  return nullptr;
}

}  // namespace espalier
