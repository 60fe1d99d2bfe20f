#include "nn/conv_transpose2d.h"

#include "autograd/autograd.h"
#include "core/error.h"
#include "nn/init.h"

namespace espalier::nn {
namespace {

void check_channels(const char* layer, int64_t in, int64_t out, int64_t groups) {
  if (groups >= 1 && in >= 1 && out >= 1 && in % groups == 0 && out % groups == 0) return;
  throw ValueError(layer, std::to_string(in) + " input and " + std::to_string(out) +
                              " output channels do not fall into " + std::to_string(groups) + " groups");
}

/// Fills `weight` and, `with_bias`, `bias` of `out` channels.
void make_parameters(const char* layer, const Shape& shape, int64_t out, bool with_bias,
                     const Generator& from, Tensor& weight, Tensor& bias) {
  const int64_t fan_in = checked_count(shape, layer) / shape[0];
  weight = make_parameter(uniform_by_fan_in(shape, fan_in, from), layer);
  if (with_bias) bias = make_parameter(uniform_by_fan_in({out}, fan_in, from), layer);
}

}  // namespace

ConvTranspose2d::ConvTranspose2d(int64_t in, int64_t out, Size2d kernel,
                                 const ConvTranspose2dOptions& options_, bool with_bias,
                                 const Generator& from)
    : options(options_) {
  check_channels("ConvTranspose2d", in, out, options.groups);
  make_parameters("ConvTranspose2d", {in, out / options.groups, kernel.height, kernel.width}, out, with_bias,
                  from, weight, bias);
}

ConvTranspose1d::ConvTranspose1d(int64_t in, int64_t out, int64_t kernel,
                                 const ConvTranspose1dOptions& options_, bool with_bias,
                                 const Generator& from)
    : options(options_) {
  check_channels("ConvTranspose1d", in, out, options.groups);
  make_parameters("ConvTranspose1d", {in, out / options.groups, kernel}, out, with_bias, from, weight, bias);
}

}  // namespace espalier::nn
