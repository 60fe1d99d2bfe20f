#include "ops/relu.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "tests/ops/elementwise_samples.h"
#include "tests/support/op_test.h"

namespace espalier::test {

OpTest relu_test() {
  return {
      .name = "relu",
      .covers = {"relu_backward"},
      .samples = unary_samples(relu, [](double x) { return std::max(x, 0.0); }),
      .errors =
          {
              {"bool", [] { relu(zeros({2}, Dtype::boolean)); }, "TypeError", {"relu", "bool[2]"}},
              {"no tensor", [] { relu(Tensor()); }, "ValueError", {"relu", "undefined"}},
          },
      .dtypes = kNumberTypes,
      .benchmarks = unary_benchmarks(relu),
  };
}

OpTest leaky_relu_test() {
  return {
      .name = "leaky_relu",
      .covers = {"leaky_relu_backward"},
      .samples = joined({unary_samples([](const Tensor& x) { return leaky_relu(x); },
                                       [](double x) { return x > 0 ? x : 0.01 * x; }, -4, 4),
                         unary_samples([](const Tensor& x) { return leaky_relu(x, -1.5); },
                                       [](double x) { return x > 0 ? x : -1.5 * x; }, -4, 4)}),
      .errors =
          {
              {"no tensor", [] { leaky_relu(Tensor()); }, "ValueError", {"leaky_relu", "undefined"}},
          },
      .dtypes = kAllTypes,
      .benchmarks = unary_benchmarks([](const Tensor& x) { return leaky_relu(x); }),
  };
}

namespace {

TEST(LeakyRelu, TakesExtremeNumbers) {
  expect_in_both([](const Tensor& x) { return leaky_relu(x, 0.5); }, {kInfinity, -kInfinity, kNan, 0},
                 {kInfinity, -kInfinity, kNan, 0});
}

TEST(LeakyRelu, SlopeAtTheKinkIsThatFromBelow) {
  expect_in_both(
      [](const Tensor& x) { return slope_of([](const Tensor& v) { return leaky_relu(v, 0.5); }, x); },
      {0, 1e-30, -1e-30, kInfinity, -kInfinity}, {0.5, 1, 0.5, 1, 0.5});
}

}  // namespace
}  // namespace espalier::test
