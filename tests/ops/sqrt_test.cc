#include "ops/sqrt.h"

#include <cmath>

#include <gtest/gtest.h>

#include "tests/ops/elementwise_samples.h"
#include "tests/support/op_test.h"

namespace espalier::test {

OpTest sqrt_test() {
  return {
      .name = "sqrt",
      .samples = unary_samples(
          sqrt, [](double x) { return std::sqrt(x); }, 0.5, 4),
      .errors = {{"no tensor", [] { sqrt(Tensor()); }, "ValueError", {"sqrt", "undefined"}}},
      .dtypes = kAllTypes,
      .benchmarks = unary_benchmarks(sqrt),
  };
}

namespace {

TEST(Sqrt, TakesExtremeNumbers) {
  expect_elements<float>(sqrt, {kInfinity, -1, kNan, 0, 4}, {kInfinity, kNan, kNan, 0, 2});
  expect_elements<double>(sqrt, {kInfinity, -1, kNan, 0, 4}, {kInfinity, kNan, kNan, 0, 2});
}

}  // namespace
}  // namespace espalier::test
