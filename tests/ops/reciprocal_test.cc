#include "ops/reciprocal.h"

#include <cmath>

#include <gtest/gtest.h>

#include "tests/ops/elementwise_samples.h"
#include "tests/support/op_test.h"

namespace espalier::test {

OpTest reciprocal_test() {
  return {
      .name = "reciprocal",
      .samples = unary_samples(
          reciprocal, [](double x) { return 1 / x; }, 0.5, 4),
      .errors = {{"no tensor", [] { reciprocal(Tensor()); }, "ValueError", {"reciprocal", "undefined"}}},
      .dtypes = kAllTypes,
      .benchmarks = unary_benchmarks(reciprocal),
  };
}

OpTest rsqrt_test() {
  return {
      .name = "rsqrt",
      .samples = unary_samples(
          rsqrt, [](double x) { return 1 / std::sqrt(x); }, 0.5, 4),
      .errors = {{"no tensor", [] { rsqrt(Tensor()); }, "ValueError", {"rsqrt", "undefined"}}},
      .dtypes = kAllTypes,
      .benchmarks = unary_benchmarks(rsqrt),
  };
}

namespace {

TEST(Reciprocal, TakesExtremeNumbers) {
  expect_in_both(reciprocal, {kInfinity, kNan, 0, -0.0, 4, -0.5}, {0, kNan, kInfinity, -kInfinity, 0.25, -2});
}

TEST(Rsqrt, TakesExtremeNumbers) {
  expect_in_both(rsqrt, {kInfinity, kNan, 0, -0.0, 4, -1}, {0, kNan, kInfinity, -kInfinity, 0.5, kNan});
}

}  // namespace
}  // namespace espalier::test
