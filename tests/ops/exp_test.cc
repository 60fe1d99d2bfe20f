#include "ops/exp.h"

#include <cmath>

#include <gtest/gtest.h>

#include "tests/ops/elementwise_samples.h"
#include "tests/support/op_test.h"

namespace espalier::test {

OpTest exp_test() {
  return {
      .name = "exp",
      .samples = unary_samples(
          exp, [](double x) { return std::exp(x); }, -2, 2),
      .errors = {{"no tensor", [] { exp(Tensor()); }, "ValueError", {"exp", "undefined"}}},
      .dtypes = kAllTypes,
      .benchmarks = unary_benchmarks(exp),
  };
}

OpTest exp2_test() {
  return {
      .name = "exp2",
      .samples = unary_samples(
          exp2, [](double x) { return std::exp2(x); }, -2, 2),
      .errors = {{"no tensor", [] { exp2(Tensor()); }, "ValueError", {"exp2", "undefined"}}},
      .dtypes = kAllTypes,
      .benchmarks = unary_benchmarks(exp2),
  };
}

OpTest expm1_test() {
  return {
      .name = "expm1",
      .samples = unary_samples(
          expm1, [](double x) { return std::expm1(x); }, -2, 2),
      .errors = {{"no tensor", [] { expm1(Tensor()); }, "ValueError", {"expm1", "undefined"}}},
      .dtypes = kAllTypes,
      .benchmarks = unary_benchmarks(expm1),
  };
}

namespace {

TEST(Exp, TakesExtremeNumbers) {
  expect_in_both(exp, {kInfinity, -kInfinity, kNan, 1000, -1000, 0}, {kInfinity, 0, kNan, kInfinity, 0, 1});
}

TEST(Exp2, TakesExtremeNumbers) {
  expect_in_both(exp2, {kInfinity, -kInfinity, kNan, 2000, -2000, 0, 10},
                 {kInfinity, 0, kNan, kInfinity, 0, 1, 1024});
}

TEST(Expm1, TakesExtremeNumbers) {
  expect_in_both(expm1, {kInfinity, -kInfinity, kNan, 1000, -1000, 0},
                 {kInfinity, -1, kNan, kInfinity, -1, 0});
}

}  // namespace
}  // namespace espalier::test
