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

namespace {

TEST(Exp, TakesExtremeNumbers) {
  expect_elements<float>(exp, {kInfinity, -kInfinity, kNan, 1000, -1000, 0},
                         {kInfinity, 0, kNan, kInfinity, 0, 1});
  expect_elements<double>(exp, {kInfinity, -kInfinity, kNan, 1000, -1000, 0},
                          {kInfinity, 0, kNan, kInfinity, 0, 1});
}

}  // namespace
}  // namespace espalier::test
