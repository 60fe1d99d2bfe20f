#include "ops/softplus.h"

#include <cmath>

#include <gtest/gtest.h>

#include "tests/ops/elementwise_samples.h"
#include "tests/support/op_test.h"

namespace espalier::test {

OpTest softplus_test() {
  return {
      .name = "softplus",
      .covers = {"softplus_backward"},
      .samples = joined(
          {unary_samples([](const Tensor& x) { return softplus(x); },
                         [](double x) { return std::log1p(std::exp(x)); }, -4, 4),
           unary_samples([](const Tensor& x) { return softplus(x, 2, 3); },
                         [](double x) { return 2 * x > 3 ? x : std::log1p(std::exp(2 * x)) / 2; }, -4, 4),
           unary_samples([](const Tensor& x) { return softplus(x, -0.5); },
                         [](double x) { return std::log1p(std::exp(-0.5 * x)) / -0.5; }, -4, 4)}),
      .errors =
          {
              {"no tensor", [] { softplus(Tensor()); }, "ValueError", {"softplus", "undefined"}},
              {"beta 0", [] { softplus(zeros({2}), 0); }, "ValueError", {"softplus", "beta"}},
          },
      .dtypes = kAllTypes,
      .benchmarks = unary_benchmarks([](const Tensor& x) { return softplus(x); }),
  };
}

OpTest log_sigmoid_test() {
  return {
      .name = "log_sigmoid",
      .covers = {"log_sigmoid_backward"},
      .samples = unary_samples(
          log_sigmoid, [](double x) { return -std::log1p(std::exp(-x)); }, -4, 4),
      .errors =
          {
              {"no tensor", [] { log_sigmoid(Tensor()); }, "ValueError", {"log_sigmoid", "undefined"}},
          },
      .dtypes = kAllTypes,
      .benchmarks = unary_benchmarks(log_sigmoid),
  };
}

namespace {

TEST(Softplus, TakesExtremeNumbers) {
  expect_in_both([](const Tensor& x) { return softplus(x); },
                 {kInfinity, -kInfinity, kNan, 1e30, -1e30, 0, -20},
                 {kInfinity, 0, kNan, 1e30, 0, 0.69314718055994531, 2.0611536e-9});
}

TEST(Softplus, NoThresholdIsTooHigh) {
  expect_in_both([](const Tensor& x) { return softplus(x, 1, 1e9); }, {1000, -1000, kInfinity},
                 {1000, 0, kInfinity});
}

TEST(Softplus, SlopeTakesExtremeNumbers) {
  expect_in_both([](const Tensor& x) { return slope_of([](const Tensor& v) { return softplus(v); }, x); },
                 {kInfinity, -kInfinity, kNan, 0}, {1, 0, kNan, 0.5});
}

TEST(Softplus, TheThresholdItselfIsBelow) {
  expect_in_both(
      [](const Tensor& x) { return slope_of([](const Tensor& v) { return softplus(v, 1, 2); }, x); },
      {2, 2.0001}, {0.88079707797788244, 1});
}

TEST(LogSigmoid, TakesExtremeNumbers) {
  expect_in_both(log_sigmoid, {kInfinity, -kInfinity, kNan, 1e30, -1e30, 0},
                 {0, -kInfinity, kNan, 0, -1e30, -0.69314718055994531});
}

TEST(LogSigmoid, SlopeTakesExtremeNumbers) {
  expect_in_both([](const Tensor& x) { return slope_of(log_sigmoid, x); }, {kInfinity, -kInfinity, kNan, 0},
                 {0, 1, kNan, 0.5});
}

}  // namespace
}  // namespace espalier::test
