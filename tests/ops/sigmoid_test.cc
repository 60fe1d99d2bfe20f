#include "ops/sigmoid.h"

#include <cmath>

#include <gtest/gtest.h>

#include "tests/ops/elementwise_samples.h"
#include "tests/support/op_test.h"

namespace espalier::test {

OpTest sigmoid_test() {
  return {
      .name = "sigmoid",
      .covers = {"sigmoid_backward"},
      .samples = unary_samples(
          sigmoid, [](double x) { return 1 / (1 + std::exp(-x)); }, -2, 2),
      .errors = {{"no tensor", [] { sigmoid(Tensor()); }, "ValueError", {"sigmoid", "undefined"}}},
      .dtypes = kAllTypes,
      .benchmarks = unary_benchmarks(sigmoid),
  };
}

namespace {

TEST(Sigmoid, TakesExtremeNumbers) {
  expect_elements<float>(sigmoid, {kInfinity, -kInfinity, kNan, 1000, -1000, 0}, {1, 0, kNan, 1, 0, 0.5});
  expect_elements<double>(sigmoid, {kInfinity, -kInfinity, kNan, 1000, -1000, 0}, {1, 0, kNan, 1, 0, 0.5});
}

}  // namespace
}  // namespace espalier::test
