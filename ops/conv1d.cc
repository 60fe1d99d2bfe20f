#include "ops/conv1d.h"

#include <string>

#include "ops/reshape.h"

namespace espalier {

Tensor conv1d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Conv1dOptions& options) {
  const Tensor inputs[] = {x, weight};
  check_defined("conv1d", inputs);
  if (x.rank() != 3 || weight.rank() != 3) {
    throw ShapeError("conv1d", "x and weight are " + describe(inputs) +
                                   "; expected 3 axes each: N, C, L and O, C / groups, K");
  }
  const Conv2dOptions image{.stride = {1, options.stride},
                            .padding = {0, options.padding},
                            .dilation = {1, options.dilation},
                            .groups = options.groups};
  return squeeze(conv2d(unsqueeze(x, 2), unsqueeze(weight, 2), bias, image), 2);
}

}  // namespace espalier
