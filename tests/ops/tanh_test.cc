#include "ops/tanh.h"

#include <cmath>

#include <gtest/gtest.h>

#include "tests/ops/elementwise_samples.h"
#include "tests/support/op_test.h"

namespace espalier::test {

OpTest tanh_test() {
  return {
      .name = "tanh",
      .covers = {"tanh_backward"},
      .samples = unary_samples(
          tanh, [](double x) { return std::tanh(x); }, -2, 2),
      .errors = {{"no tensor", [] { tanh(Tensor()); }, "ValueError", {"tanh", "undefined"}}},
      .dtypes = kAllTypes,
      .benchmarks = unary_benchmarks(tanh),
  };
}

namespace {

TEST(Tanh, TakesExtremeNumbers) {
  expect_elements<float>(tanh, {kInfinity, -kInfinity, kNan, 1000, -1000, 0}, {1, -1, kNan, 1, -1, 0});
  expect_elements<double>(tanh, {kInfinity, -kInfinity, kNan, 1000, -1000, 0}, {1, -1, kNan, 1, -1, 0});
}

}  // namespace
}  // namespace espalier::test
