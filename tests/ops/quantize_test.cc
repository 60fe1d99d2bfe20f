#include "ops/quantize.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <gtest/gtest.h>

#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

OpSample quantize_sample(std::string label, const Shape& shape, const Quantization& quantization,
                         Dtype dtype) {
  const double least = dtype == Dtype::u8 ? 0 : -128;
  return elementwise_sample(
      std::move(label), {{shape, -40, 40}}, [=](Inputs in) { return quantize(in[0], quantization, dtype); },
      [=](const std::vector<double>& x) {
        const float quotient = static_cast<float>(x[0]) / static_cast<float>(quantization.scale);
        const double q = std::nearbyint(quotient) + static_cast<double>(quantization.zero_point);
        return std::clamp(q, least, least + 255);
      });
}

OpSample dequantize_sample(std::string label, const Shape& shape, const Quantization& quantization) {
  return elementwise_sample(
      std::move(label), {{shape, -128, 255}}, [=](Inputs in) { return dequantize(in[0], quantization); },
      [=](const std::vector<double>& q) {
        return static_cast<float>(q[0] - static_cast<double>(quantization.zero_point)) *
               static_cast<float>(quantization.scale);
      });
}

}  // namespace

OpTest quantize_test() {
  const Tensor x = zeros({2, 3});
  return {
      .name = "quantize",
      .samples = {quantize_sample("u8", {5, 70}, {0.25, 100}, Dtype::u8),
                  quantize_sample("i8", {5, 70}, {0.25, 0}, Dtype::i8),
                  quantize_sample("halves, ties to even", {300}, {2, 10}, Dtype::u8),
                  quantize_sample("past both ends", {4, 5, 6}, {0.01, 128}, Dtype::u8),
                  quantize_sample("scalar", {}, {0.3, 7}, Dtype::u8),
                  quantize_sample("empty", {0, 4}, {0.3, 7}, Dtype::u8)},
      .errors = {{"no scale", [x] { quantize(x, {0, 0}); }, "ValueError", {"quantize", "scale is 0"}},
                 {"zero point beyond u8",
                  [x] { quantize(x, {1, 256}); },
                  "ValueError",
                  {"quantize", "zero point is 256", "u8"}},
                 {"zero point beyond i8",
                  [x] { quantize(x, {1, 128}, Dtype::i8); },
                  "ValueError",
                  {"quantize", "zero point is 128", "i8"}},
                 {"to another type",
                  [x] { quantize(x, {1, 0}, Dtype::i16); },
                  "TypeError",
                  {"quantize", "i16", "u8 or i8"}}},
      .dtypes = {Dtype::f32},
      .tolerance = 0,
      .differentiable = false,
      .twice_differentiable = false,
      .benchmarks = {quantize_sample("3x32x32", {3, 32, 32}, {0.02, 120}, Dtype::u8)},
  };
}

OpTest dequantize_test() {
  return {
      .name = "dequantize",
      .samples = {dequantize_sample("matrix", {5, 70}, {0.3, 100}), dequantize_sample("scalar", {}, {0.3, 7}),
                  dequantize_sample("empty", {0, 4}, {0.3, 7})},
      .errors = {{"infinite scale",
                  [] { dequantize(zeros({2}, Dtype::u8), {std::numeric_limits<double>::infinity(), 0}); },
                  "ValueError",
                  {"dequantize", "scale is inf"}}},
      .dtypes = {Dtype::u8, Dtype::i8},
      .tolerance = 0,
      .differentiable = false,
      .twice_differentiable = false,
      .benchmarks = {dequantize_sample("64x64", {64, 64}, {0.02, 0})},
  };
}

namespace {

TEST(Quantize, SpecialNumbers) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const Tensor x = from_values<float>({kInfinity, -kInfinity, std::nanf(""), 1e38f, -0.0f}, {5});
  EXPECT_EQ(quantize(x, {0.5, 3}).to_vector<uint8_t>(), (std::vector<uint8_t>{255, 0, 3, 255, 3}));
}

TEST(Quantize, ARangeHoldsZeroExactlyAndItsEndsByHalfAStep) {
  for (const auto& [low, high] : {std::pair{-1.0, 3.0}, {0.0, 6.0}, {2.0, 5.0}, {-4.0, -1.0}, {0.0, 0.0}}) {
    const Quantization found = quantization_for(low, high);
    const Tensor ends = from_values<float>({0, static_cast<float>(low), static_cast<float>(high)}, {3});
    const std::vector<float> back = dequantize(quantize(ends, found), found).to_vector<float>();
    EXPECT_EQ(back[0], 0);
    // The zero point is rounded, which moves the ends by half a step; half of another rounds them.
    EXPECT_NEAR(back[1], low, found.scale * 1.001);
    EXPECT_NEAR(back[2], high, found.scale * 1.001);
  }
}

TEST(Quantize, ARangeOfNoNumbersIsRefused) {
  EXPECT_THROW(quantization_for(1, 0), ValueError);
  EXPECT_THROW(quantization_for(0, std::numeric_limits<double>::infinity()), ValueError);
  EXPECT_THROW(quantization_for(std::nan(""), 1), ValueError);
}

}  // namespace
}  // namespace espalier::test
