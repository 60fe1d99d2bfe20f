#include "ops/gelu.h"

#include <cmath>
#include <numbers>

#include <gtest/gtest.h>

#include "ops/subtract.h"
#include "tests/ops/elementwise_samples.h"
#include "tests/support/op_test.h"

namespace espalier::test {

OpTest gelu_test() {
  return {
      .name = "gelu",
      .covers = {"gelu_backward"},
      .samples =
          joined({unary_samples(
                      gelu,
                      [](double x) {
                        const double u = std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x);
                        return x / 2 * (1 + std::tanh(u));
                      },
                      -4, 4),
                  unary_samples(
                      gelu_exact, [](double x) { return x / 2 * std::erfc(-x * std::sqrt(0.5)); }, -8, 8)}),
      .errors = {{"no tensor", [] { gelu(Tensor()); }, "ValueError", {"gelu", "undefined"}}},
      .dtypes = kAllTypes,
      .benchmarks = joined({unary_benchmarks(gelu), unary_benchmarks(gelu_exact, "exact, ")}),
  };
}

namespace {

TEST(Gelu, TakesExtremeNumbers) {
  expect_elements<float>(gelu, {kInfinity, -kInfinity, kNan, 1e30, -1e30, 0},
                         {kInfinity, 0, kNan, 1e30, 0, 0});
  expect_elements<double>(gelu, {kInfinity, -kInfinity, kNan, 1e30, -1e30, 0},
                          {kInfinity, 0, kNan, 1e30, 0, 0});
}

TEST(Gelu, GradientTakesExtremeNumbers) {
  const auto slope = [](const Tensor& x) { return apply_one(GeluBackward(), ones(x.shape(), x.dtype()), x); };
  expect_elements<float>(slope, {kInfinity, -kInfinity, kNan, 1e30, -1e30, 0}, {1, 0, kNan, 1, 0, 0.5});
  expect_elements<double>(slope, {kInfinity, -kInfinity, kNan, 1e30, -1e30, 0}, {1, 0, kNan, 1, 0, 0.5});
}

TEST(GeluExact, TakesExtremeNumbers) {
  expect_in_both(gelu_exact, {kInfinity, -kInfinity, kNan, 1e30, -1e30, 0, 20, -20},
                 {kInfinity, 0, kNan, 1e30, 0, 0, 20, 0});
}

TEST(GeluExact, SlopeTakesExtremeNumbers) {
  const auto slope = [](const Tensor& x) { return slope_of(gelu_exact, x); };
  expect_in_both(slope, {kInfinity, -kInfinity, kNan, 1e30, -1e30, 0, 20, -20},
                 {1, 0, kNan, 1, 0, 0.5, 1, 0});
}

TEST(Gelu, FormsDiffer) {
  const auto difference = [](const Tensor& x) { return gelu(x) - gelu_exact(x); };
  expect_elements<double>(difference, {1.5}, {-2.1762111648e-4});
}

}  // namespace
}  // namespace espalier::test
