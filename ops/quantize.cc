#include "ops/quantize.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "core/error.h"
#include "ops/elementwise_internal.h"

namespace espalier {
namespace {

constexpr double kLevels = 255;  // steps between the smallest and the largest u8

void check_byte(std::string_view name, std::string_view what, Dtype dtype) {
  if (dtype == Dtype::u8 || dtype == Dtype::i8) return;
  throw TypeError(name, std::string(what) + " is " + std::string(to_string(dtype)) + "; expected u8 or i8");
}

}  // namespace

Quantization quantization_for(double low, double high) {
  if (!std::isfinite(low) || !std::isfinite(high) || low > high) {
    throw ValueError("quantization_for", "the range is [" + std::to_string(low) + ", " +
                                             std::to_string(high) +
                                             "]; expected two finite numbers, the smaller one first");
  }
  low = std::min(low, 0.0);
  high = std::max(high, 0.0);
  // A range of nothing but 0 has any scale.
  const double least = std::numeric_limits<float>::min();
  const double scale = low == high ? 1 : std::max((high - low) / kLevels, least);
  return {scale, static_cast<int64_t>(std::clamp(std::nearbyint(-low / scale), 0.0, kLevels))};
}

void check_quantization(std::string_view name, const Quantization& quantization, Dtype dtype) {
  check_byte(name, "the quantised type", dtype);
  if (!std::isnormal(static_cast<float>(quantization.scale)) || quantization.scale < 0) {
    throw ValueError(name, "the scale is " + std::to_string(quantization.scale) +
                               "; expected a positive number that f32 holds");
  }
  const int64_t least = dtype == Dtype::u8 ? 0 : -128;
  if (quantization.zero_point < least || quantization.zero_point > least + 255) {
    throw ValueError(name, "the zero point is " + std::to_string(quantization.zero_point) +
                               "; expected one that " + std::string(to_string(dtype)) + " holds");
  }
}

void Quantize::infer(Inputs inputs, OutputSpecs& outputs) const {
  check_quantization(kName, quantization_, dtype_);
  if (inputs[0].dtype() != Dtype::f32)
    throw TypeError(kName, "the input is " + describe(inputs[0]) + "; expected f32");
  outputs.push_back(elementwise_spec(kName, inputs, dtype_));
}

std::vector<AxisTie> Quantize::axis_ties(Inputs inputs) const {
  return elementwise_ties(inputs);
}

void Dequantize::infer(Inputs inputs, OutputSpecs& outputs) const {
  check_byte(kName, "the input, " + describe(inputs[0]) + ",", inputs[0].dtype());
  check_quantization(kName, quantization_, inputs[0].dtype());
  outputs.push_back(elementwise_spec(kName, inputs, Dtype::f32));
}

std::vector<AxisTie> Dequantize::axis_ties(Inputs inputs) const {
  return elementwise_ties(inputs);
}

Tensor quantize(const Tensor& x, const Quantization& quantization, Dtype dtype) {
  return apply_one(Quantize(quantization, dtype), x);
}

Tensor dequantize(const Tensor& q, const Quantization& quantization) {
  return apply_one(Dequantize(quantization), q);
}

}  // namespace espalier
