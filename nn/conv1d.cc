#include "nn/conv1d.h"

#include "autograd/autograd.h"
#include "core/error.h"
#include "nn/init.h"

namespace espalier::nn {

Conv1d::Conv1d(int64_t in, int64_t out, int64_t kernel, const Conv1dOptions& options_, bool with_bias,
               const Generator& from)
    : options(options_) {
  if (options.groups < 1 || in < 1 || out < 1 || in % options.groups != 0 || out % options.groups != 0) {
    throw ValueError("Conv1d", std::to_string(in) + " input and " + std::to_string(out) +
                                   " output channels do not fall into " + std::to_string(options.groups) +
                                   " groups");
  }
  const Shape shape = {out, in / options.groups, kernel};
  checked_count(shape, "Conv1d");
  const int64_t fan_in = shape[1] * kernel;
  weight = make_parameter(uniform_by_fan_in(shape, fan_in, from), "Conv1d");
  if (with_bias) bias = make_parameter(uniform_by_fan_in({out}, fan_in, from), "Conv1d");
}

}  // namespace espalier::nn
