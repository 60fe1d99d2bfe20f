#include "ops/trigonometry.h"

#include <cmath>

#include <gtest/gtest.h>

#include "tests/ops/elementwise_samples.h"
#include "tests/support/op_test.h"

namespace espalier::test {

OpTest sin_test() {
  return {
      .name = "sin",
      .samples = unary_samples(
          sin, [](double x) { return std::sin(x); }, -8, 8),
      .errors = {{"no tensor", [] { sin(Tensor()); }, "ValueError", {"sin", "undefined"}}},
      .dtypes = kAllTypes,
      .benchmarks = unary_benchmarks(sin),
  };
}

OpTest cos_test() {
  return {
      .name = "cos",
      .samples = unary_samples(
          cos, [](double x) { return std::cos(x); }, -8, 8),
      .errors = {{"no tensor", [] { cos(Tensor()); }, "ValueError", {"cos", "undefined"}}},
      .dtypes = kAllTypes,
      .benchmarks = unary_benchmarks(cos),
  };
}

OpTest tan_test() {
  return {
      .name = "tan",
      .samples = unary_samples(
          tan, [](double x) { return std::tan(x); }, -1, 1),
      .errors = {{"no tensor", [] { tan(Tensor()); }, "ValueError", {"tan", "undefined"}}},
      .dtypes = kAllTypes,
      .benchmarks = unary_benchmarks(tan),
  };
}

namespace {

TEST(Sin, TakesExtremeNumbers) {
  expect_in_both(sin, {kInfinity, -kInfinity, kNan, 0}, {kNan, kNan, kNan, 0});
}

TEST(Cos, TakesExtremeNumbers) {
  expect_in_both(cos, {kInfinity, -kInfinity, kNan, 0}, {kNan, kNan, kNan, 1});
}

TEST(Tan, TakesExtremeNumbers) {
  expect_in_both(tan, {kInfinity, -kInfinity, kNan, 0}, {kNan, kNan, kNan, 0});
}

}  // namespace
}  // namespace espalier::test
