#include "ops/int8_product.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "core/error.h"
#include "ops/int8_product_internal.h"

namespace espalier {
namespace {

/// Throws ValueError where `number`, of `what` (of an output channel, or -1) divided by the output's scale
/// `unit`, could make a result that f32 does not hold: times 2^31 it must be finite.
void check_finish(std::string_view name, float number, const char* what, int64_t channel, double unit) {
  constexpr float kLargest = 0x1p90f;
  if (std::abs(number) <= kLargest) return;
  const std::string which = channel < 0 ? what : what + std::to_string(channel);
  throw ValueError(name, which + ", which with the other scales becomes " + std::to_string(number) +
                             " (the output's is " + std::to_string(unit) + "), is too large or no number");
}

}  // namespace

void visit_options(AttributeVisitor& visit, Int8Options& options) {
  visit("input_scale", options.input.scale);
  visit("input_zero_point", options.input.zero_point);
  visit("output_dtype", options.output_dtype);
  visit("output_scale", options.output.scale);
  visit("output_zero_point", options.output.zero_point);
  visit("residual_scale", options.residual.scale);
  visit("residual_zero_point", options.residual.zero_point);
  visit("relu", options.relu);
}

void check_int8_product(std::string_view name, Inputs inputs, const Int8Options& options, int64_t outputs,
                        int64_t products, const OutputSpec& y) {
  const auto all = [&] { return " (inputs " + describe(inputs) + ")"; };
  constexpr const char* kNames[] = {"x", "the weight", "the scales", "the bias", "the residual"};
  constexpr Dtype kTypes[] = {Dtype::u8, Dtype::i8, Dtype::f32, Dtype::f32, Dtype::u8};
  for (size_t i = 0; i < 5; ++i) {
    if (!inputs[i].defined() || inputs[i].dtype() == kTypes[i]) continue;
    throw TypeError(name, std::string(kNames[i]) + " is " + describe(inputs[i]) + "; expected " +
                              std::string(to_string(kTypes[i])) + all());
  }
  for (const size_t i : {2u, 3u}) {
    if (!inputs[i].defined() || inputs[i].shape() == Shape{outputs}) continue;
    throw ShapeError(name, std::string(kNames[i]) + ": " + describe(inputs[i]) + "; expected [" +
                               std::to_string(outputs) + "], one an output channel" + all());
  }
  if (products > kMostInt8Products) {
    throw ShapeError(name, "an element sums up " + std::to_string(products) + " products; i32 holds " +
                               std::to_string(kMostInt8Products) + " at most" + all());
  }
  check_quantization(name, options.input, Dtype::u8);
  if (options.output_dtype == Dtype::u8) {
    check_quantization(name, options.output, Dtype::u8);
  } else if (options.output_dtype != Dtype::f32) {
    throw TypeError(name, "the result is to be " + std::string(to_string(options.output_dtype)) +
                              "; expected f32 or u8" + all());
  }
  const Tensor& residual = inputs[4];
  if (!residual.defined()) return;
  check_quantization(name, options.residual, Dtype::u8);
  if (residual.shape() != y.shape) {
    throw ShapeError(name,
                     "the residual is " + describe(residual) + "; expected " + to_string(y.shape) + all());
  }
}

void Int8Finish::set_channels(std::string_view name, const Int8Options& options, double unit,
                              const Tensor& scales, const Tensor& bias, int64_t room) {
  const auto element = [](const Tensor& tensor, int64_t i) {
    return static_cast<const float*>(tensor.raw_data())[i * tensor.strides()[0]];
  };
  std::fill_n(multiplier, room, 0.0f);
  std::fill_n(shift, room, 0.0f);
  for (int64_t i = 0; i < scales.numel(); ++i) {
    multiplier[i] = static_cast<float>(options.input.scale * element(scales, i) / unit);
    if (bias.defined()) shift[i] = static_cast<float>(element(bias, i) / unit);
    check_finish(name, multiplier[i], "the scale of output channel ", i, unit);
    check_finish(name, shift[i], "the bias of output channel ", i, unit);
  }
}

Int8Finish::Int8Finish(std::string_view name, const Int8Options& options, const Tensor& scales,
                       const Tensor& bias, int64_t room, Workspace& work)
    : multiplier(work.take<float>(room)), shift(work.take<float>(room)) {
  const bool bytes = options.output_dtype == Dtype::u8;
  const double unit = bytes ? options.output.scale : 1;
  if (multiplier) set_channels(name, options, unit, scales, bias, room);
  residual_multiplier = static_cast<float>(options.residual.scale / unit);
  check_finish(name, residual_multiplier, "the residual's scale", -1, unit);
  residual_zero_point = static_cast<int32_t>(options.residual.zero_point);
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  low = -kInfinity;
  high = kInfinity;
  if (bytes) {
    zero_point = static_cast<int32_t>(options.output.zero_point);
    low = static_cast<float>(-zero_point);
    high = static_cast<float>(255 - zero_point);
  }
  if (options.relu) low = 0;
}

void Int8Finish::put(int32_t sum, int64_t channel, const uint8_t* residual, int64_t place,
                     const Tensor& y) const {
  float number = static_cast<float>(sum) * multiplier[channel];
  number = number + shift[channel];
  if (residual) {
    const int32_t q = residual[place];
    number = number + static_cast<float>(q - residual_zero_point) * residual_multiplier;
  }
  number = number > low ? number : low;  // of -0 and 0 the bound, as vectors have it
  number = std::min(number, high);
  if (y.dtype() == Dtype::f32)
    static_cast<float*>(y.raw_data())[place] = number;
  else
    static_cast<uint8_t*>(y.raw_data())[place] =
        static_cast<uint8_t>(static_cast<int32_t>(std::nearbyint(number)) + zero_point);
}

}  // namespace espalier
