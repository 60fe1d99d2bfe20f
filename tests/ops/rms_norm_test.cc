#include "ops/rms_norm.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

constexpr double kRmsNormEpsilon = 1e-3;

OpSample rms_norm_sample(std::string label, const Shape& x, const Shape& normalized, bool weighted = true) {
  return {std::move(label),
          {{x}, {.shape = normalized, .absent = !weighted}},
          [=](Inputs in) { return Tensors{rms_norm(in[0], normalized, in[1], kRmsNormEpsilon)}; },
          [=](const Arrays& in) {
            Array y(x);
            const int64_t size = count(normalized), rows = size == 0 ? 0 : count(x) / size;
            for (int64_t row = 0; row < rows; ++row) {
              double squares = 0;
              for (int64_t i = row * size; i < (row + 1) * size; ++i) squares += in[0][i] * in[0][i];
              const double root = std::sqrt(squares / static_cast<double>(size) + kRmsNormEpsilon);
              for (int64_t i = 0; i < size; ++i)
                y[row * size + i] = in[0][row * size + i] / root * (weighted ? in[1][i] : 1);
            }
            return Arrays{y};
          }};
}

}  // namespace

OpTest rms_norm_test() {
  return {
      .name = "rms_norm",
      .covers = {"rms_norm_backward"},
      .samples =
          {
              rms_norm_sample("rows", {4, 7}, {7}),
              rms_norm_sample("one row", {5}, {5}),
              rms_norm_sample("no weight", {3, 6}, {6}, false),
              rms_norm_sample("two axes", {2, 3, 4}, {3, 4}),
              rms_norm_sample("rows longer than vectors", {2, 101}, {101}),
              rms_norm_sample("several blocks of rows", {70, 3}, {3}),
              rms_norm_sample("no rows", {0, 4}, {4}),
              rms_norm_sample("rows without elements", {3, 0}, {0}),
          },
      .errors =
          {
              {"other last axes",
               [] { rms_norm(zeros({2, 3}), {4}); },
               "ShapeError",
               {"rms_norm", "f32[2, 3]", "[4]"}},
              {"no axes",
               [] { rms_norm(zeros({2, 3}), {}); },
               "ShapeError",
               {"rms_norm", "f32[2, 3]", "one"}},
              {"a weight of another shape",
               [] { rms_norm(zeros({2, 3}), {3}, zeros({2})); },
               "ShapeError",
               {"rms_norm", "f32[2, 3]", "f32[2]", "weight [3]"}},
              {"two types",
               [] { rms_norm(zeros({2, 3}), {3}, zeros({3}, Dtype::f64)); },
               "TypeError",
               {"rms_norm", "f32[2, 3]", "f64[3]"}},
              {"a negative epsilon",
               [] { rms_norm(zeros({2, 3}), {3}, {}, -1); },
               "ValueError",
               {"rms_norm", "-1"}},
              {"no x", [] { rms_norm({}, {3}); }, "ValueError", {"rms_norm", "undefined"}},
              {"a gradient of another shape",
               [] { apply(RmsNormBackward(1, true, true), {zeros({2, 4}), zeros({2, 3}), {}, zeros({2})}); },
               "ShapeError",
               {"rms_norm_backward", "f32[2, 4]", "f32[2, 3]"}},
          },
      // The sum of squares of up to 101 elements, in vectors, and values of up to 4 after the weight.
      .tolerance = 16,
      .benchmarks = {rms_norm_sample("32 x 768", {32, 768}, {768}),
                     rms_norm_sample("1024 x 384", {1024, 384}, {384}),
                     rms_norm_sample("2048 x 4096", {2048, 4096}, {4096})},
  };
}

namespace {

TEST(RmsNorm, AddsPyTorchsEpsilonByDefault) {
  // The mean square is that of x itself, 1e-8; y = x / sqrt(1e-8 + epsilon).
  const auto first = [](Dtype dtype) { return rms_norm(full({4}, 1e-4, dtype), {4}); };
  EXPECT_NEAR(first(Dtype::f64).to_vector<double>()[0], 1 / std::sqrt(1 + 0x1p-52 / 1e-8), 1e-12);
  EXPECT_NEAR(first(Dtype::f32).to_vector<float>()[0], 1 / std::sqrt(1 + 0x1p-23 / 1e-8), 1e-6);
  EXPECT_NEAR(static_cast<float>(first(Dtype::bf16).to_vector<bfloat16>()[0]),
              1 / std::sqrt(1 + 0x1p-23 / 1e-8), 2e-3);
}

TEST(RmsNorm, SquaresThatOverflowGiveZeroAndNoneGivesNan) {
  EXPECT_THAT(rms_norm(full({2, 20}, 1e30), {20}).to_vector<float>(), testing::Each(0));
  EXPECT_THAT(rms_norm(zeros({20}), {20}, {}, 0.0).to_vector<float>(), testing::Each(testing::IsNan()));
}

}  // namespace
}  // namespace espalier::test
