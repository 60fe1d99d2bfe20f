#include "nn/conv2d.h"

#include "autograd/autograd.h"
#include "core/error.h"
#include "nn/init.h"

namespace espalier::nn {

Conv2d::Conv2d(int64_t in, int64_t out, Size2d kernel, const Conv2dOptions& options_, bool with_bias,
               const Generator& from)
    : options(options_) {
  if (options.groups < 1 || in < 1 || out < 1 || in % options.groups != 0 || out % options.groups != 0) {
    throw ValueError("Conv2d", std::to_string(in) + " input and " + std::to_string(out) +
                                   " output channels do not fall into " + std::to_string(options.groups) +
                                   " groups");
  }
  const Shape shape = {out, in / options.groups, kernel.height, kernel.width};
  const int64_t fan_in = shape[1] * kernel.height * kernel.width;
  weight = make_parameter(uniform_by_fan_in(shape, fan_in, from), "Conv2d");
  if (with_bias) bias = make_parameter(uniform_by_fan_in({out}, fan_in, from), "Conv2d");
}

}  // namespace espalier::nn
