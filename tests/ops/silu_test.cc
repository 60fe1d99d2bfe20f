#include "ops/silu.h"

#include <cmath>

#include <gtest/gtest.h>

#include "tests/ops/elementwise_samples.h"
#include "tests/support/op_test.h"

namespace espalier::test {

OpTest silu_test() {
  return {
      .name = "silu",
      .covers = {"silu_backward"},
      .samples = unary_samples(
          silu, [](double x) { return x / (1 + std::exp(-x)); }, -4, 4),
      .errors =
          {
              {"no tensor", [] { silu(Tensor()); }, "ValueError", {"silu", "undefined"}},
          },
      .dtypes = kAllTypes,
      .benchmarks = unary_benchmarks(silu),
  };
}

OpTest mish_test() {
  return {
      .name = "mish",
      .covers = {"mish_backward"},
      .samples = unary_samples(
          mish, [](double x) { return x * std::tanh(std::log1p(std::exp(x))); }, -4, 4),
      .errors =
          {
              {"no tensor", [] { mish(Tensor()); }, "ValueError", {"mish", "undefined"}},
          },
      .dtypes = kAllTypes,
      .benchmarks = unary_benchmarks(mish),
  };
}

namespace {

TEST(Silu, TakesExtremeNumbers) {
  expect_in_both(silu, {kInfinity, -kInfinity, kNan, 1e30, -1e30, 0, -100},
                 {kInfinity, kNan, kNan, 1e30, 0, 0, 0});
}

TEST(Silu, SlopeTakesExtremeNumbers) {
  expect_in_both([](const Tensor& x) { return slope_of(silu, x); }, {kNan, 1e30, -1e30, 0, 100, -100},
                 {kNan, 1, 0, 0.5, 1, 0});
}

TEST(Mish, TakesExtremeNumbers) {
  expect_in_both(mish, {kInfinity, -kInfinity, kNan, 1e30, -1e30, 0, -100},
                 {kInfinity, kNan, kNan, 1e30, 0, 0, 0});
}

TEST(Mish, SlopeTakesExtremeNumbers) {
  expect_in_both([](const Tensor& x) { return slope_of(mish, x); },
                 {kNan, 1e30, -1e30, 0, 100, -100, kInfinity}, {kNan, 1, 0, 0.6, 1, 0, 1});
}

}  // namespace
}  // namespace espalier::test
