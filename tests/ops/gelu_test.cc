#include "ops/gelu.h"

#include <cmath>
#include <numbers>

#include <gtest/gtest.h>

#include "tests/ops/elementwise_samples.h"
#include "tests/support/op_test.h"

namespace espalier::test {

OpTest gelu_test() {
  return {
      .name = "gelu",
      .covers = {"gelu_backward"},
      .samples = unary_samples(
          gelu,
          [](double x) {
            return x / 2 * (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
          },
          -4, 4),
      .errors = {{"no tensor", [] { gelu(Tensor()); }, "ValueError", {"gelu", "undefined"}}},
      .dtypes = kAllTypes,
      .benchmarks = unary_benchmarks(gelu),
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

}  // namespace
}  // namespace espalier::test
