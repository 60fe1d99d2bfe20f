#include "ops/int8_linear.h"

#include <cmath>
#include <limits>
#include <utility>

#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/ops/int8_samples.h"

namespace espalier::test {
namespace {

constexpr Int8Options kToBytes{
    .input = {0.02, 120}, .output_dtype = Dtype::u8, .output = {0.3, 90}, .residual = {0.25, 130}};
constexpr Int8Options kToBytesRelu{
    .input = {0.02, 0}, .output_dtype = Dtype::u8, .output = {0.2, 0}, .residual = {0.1, 10}, .relu = true};
constexpr Int8Options kToFloats{.input = {0.02, 120}, .residual = {0.25, 130}};
constexpr Int8Options kToFloatsRelu{.input = {0.02, 255}, .residual = {0.25, 0}, .relu = true};

OpSample int8_linear_sample(std::string label, const Shape& x, int64_t out, bool bias, bool residual,
                            const Int8Options& options) {
  Shape y = x;
  y[y.rank() - 1] = out;
  const int64_t width = x.back();
  return {std::move(label),
          {{x, 0, 256},
           {{out, width}, -128, 128, Dtype::i8},
           {{out}, 0.001, 0.1, Dtype::f32},
           {.shape = {out}, .low = -9, .high = 9, .dtype = Dtype::f32, .absent = !bias},
           {.shape = y, .low = 0, .high = 256, .absent = !residual}},
          [=](Inputs in) { return Tensors{int8_linear(in[0], in[1], in[2], in[3], in[4], options)}; },
          [=](const Arrays& in) {
            Array result(y);
            for (int64_t i = 0; i < count(y); ++i) {
              double sum = 0;
              for (int64_t k = 0; k < width; ++k)
                sum += (in[0][i / out * width + k] - static_cast<double>(options.input.zero_point)) *
                       in[1][i % out * width + k];
              const double r = residual ? in[4][i] : 0;
              result[i] = int8_result(options, sum, in[2][i % out], bias ? in[3][i % out] : 0,
                                      residual ? &r : nullptr);
            }
            return Arrays{result};
          }};
}

}  // namespace

OpTest int8_linear_test() {
  const Tensor x = zeros({2, 4}, Dtype::u8), weight = zeros({5, 4}, Dtype::i8), scales = ones({5});
  const auto run = [=](const Tensor& bias, const Tensor& residual, const Int8Options& options) {
    return int8_linear(x, weight, scales, bias, residual, options);
  };
  return {
      .name = "int8_linear",
      .samples =
          {
              int8_linear_sample("one row", {64}, 64, true, false, kToBytesRelu),
              int8_linear_sample("one row of odd sizes", {1, 37}, 85, true, true, kToBytes),
              int8_linear_sample("no bias", {3, 8}, 16, false, false, kToBytes),
              int8_linear_sample("residual", {2, 9, 33}, 21, true, true, kToBytesRelu),
              int8_linear_sample("to f32", {7, 30}, 10, true, false, kToFloats),
              int8_linear_sample("to f32, residual and ReLU", {13, 20}, 50, true, true, kToFloatsRelu),
              int8_linear_sample("several groups of outputs", {15, 65}, 200, true, false, kToBytes),
              int8_linear_sample("no rows", {0, 4}, 5, true, false, kToBytes),
              int8_linear_sample("a sum of nothing", {3, 0}, 5, true, true, kToBytes),
          },
      .errors =
          {
              {"sizes",
               [=] { int8_linear(x, zeros({5, 3}, Dtype::i8), scales, {}, {}, kToFloats); },
               "ShapeError",
               {"int8_linear", "[2, 4]", "[5, 3]"}},
              {"weight of another type",
               [=] { int8_linear(x, zeros({5, 4}), scales, {}, {}, kToFloats); },
               "TypeError",
               {"int8_linear", "the weight is f32[5, 4]", "i8"}},
              {"scales of another size",
               [=] { int8_linear(x, weight, ones({4}), {}, {}, kToFloats); },
               "ShapeError",
               {"int8_linear", "the scales", "f32[4]", "[5]"}},
              {"bias of another size",
               [=] { run(ones({1}), {}, kToFloats); },
               "ShapeError",
               {"int8_linear", "the bias", "f32[1]", "[5]"}},
              {"residual of another shape",
               [=] { run({}, zeros({2, 4}, Dtype::u8), kToBytes); },
               "ShapeError",
               {"int8_linear", "the residual", "[2, 4]", "[2, 5]"}},
              {"residual of another type",
               [=] { run({}, zeros({2, 5}), kToBytes); },
               "TypeError",
               {"int8_linear", "the residual is f32[2, 5]", "u8"}},
              {"result of another type",
               [=] { run({}, {}, {.output_dtype = Dtype::i32}); },
               "TypeError",
               {"int8_linear", "i32", "f32 or u8"}},
              {"zero point",
               [=] { run({}, {}, {.input = {1, -1}}); },
               "ValueError",
               {"int8_linear", "zero point is -1"}},
              {"a bias that is no number",
               [=] { run(full({5}, std::numeric_limits<double>::quiet_NaN()), {}, kToBytes); },
               "ValueError",
               {"int8_linear", "bias of output channel 0", "nan"}},
              {"sums that leave i32",
               [] {
                 int8_linear(empty({1, 65794}, Dtype::u8, kMeta), empty({1, 65794}, Dtype::i8, kMeta),
                             empty({1}, Dtype::f32, kMeta), {}, {}, kToFloats);
               },
               "ShapeError",
               {"int8_linear", "65794 products", "65793"}},
          },
      .dtypes = {Dtype::u8},
      .tolerance = 0,  // defined to the bit
      // A sum depends on every input channel, and its rounding on all of them.
      .differentiable = false,
      .twice_differentiable = false,
      .benchmarks = {int8_linear_sample("1x1024 to 1024", {1, 1024}, 1024, true, false, kToBytesRelu),
                     int8_linear_sample("64x1024 to 1024", {64, 1024}, 1024, true, false, kToBytesRelu)},
  };
}

namespace {

/// The largest sums that there are: nothing saturates on the way.
TEST(Int8Linear, ExtremesAreExact) {
  const int64_t width = kMostInt8Products;
  const Tensor scales = ones({2});
  for (const int64_t zero_point : {0, 255}) {
    const int32_t x = zero_point == 0 ? 255 : 0;
    for (const int32_t weight : {-128, 127}) {
      const Tensor y = int8_linear(full({1, width}, x, Dtype::u8), full({2, width}, weight, Dtype::i8),
                                   scales, {}, {}, {.input = {1, zero_point}});
      const auto sum = static_cast<double>(x - zero_point) * weight * static_cast<double>(width);
      EXPECT_EQ(y.to_vector<float>(), std::vector<float>(2, static_cast<float>(sum)));
    }
  }
}

TEST(Int8Linear, ScalesMayBeAsLargeAsSumsAllow) {
  const Tensor x = full({1, kMostInt8Products}, 255, Dtype::u8);
  const Tensor weight = full({1, kMostInt8Products}, -128, Dtype::i8);
  const auto product = [&](float scale) {
    return int8_linear(x, weight, full({1}, scale), {}, {}, {.input = {1, 0}}).item();
  };
  EXPECT_TRUE(std::isfinite(product(0x1p90f)));
  EXPECT_THROW(product(0x1p91f), ValueError);
}

TEST(Int8Linear, ResultsPastAllBoundsAreClamped) {
  const Tensor x = full({1, 4}, 200, Dtype::u8), scales = from_values<float>({1, 1, 1e-12f, -1}, {4});
  const Tensor weight = full({4, 4}, 127, Dtype::i8);
  const Tensor y = int8_linear(x, weight, scales, {}, {},
                               {.input = {1, 100}, .output_dtype = Dtype::u8, .output = {1e-8, 90}});
  EXPECT_EQ(y.to_vector<uint8_t>(), (std::vector<uint8_t>{255, 255, 95, 0}));
}

}  // namespace
}  // namespace espalier::test
