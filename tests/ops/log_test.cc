#include "ops/log.h"

#include <cmath>

#include <gtest/gtest.h>

#include "tests/ops/elementwise_samples.h"
#include "tests/support/op_test.h"

namespace espalier::test {

OpTest log_test() {
  return {
      .name = "log",
      .samples = unary_samples(
          log, [](double x) { return std::log(x); }, 0.5, 4),
      .errors = {{"no tensor", [] { log(Tensor()); }, "ValueError", {"log", "undefined"}}},
      .dtypes = kAllTypes,
      .benchmarks = unary_benchmarks(log),
  };
}

namespace {

TEST(Log, TakesExtremeNumbers) {
  expect_elements<float>(log, {kInfinity, -kInfinity, kNan, 0, -1, 1},
                         {kInfinity, kNan, kNan, -kInfinity, kNan, 0});
  expect_elements<double>(log, {kInfinity, -kInfinity, kNan, 0, -1, 1},
                          {kInfinity, kNan, kNan, -kInfinity, kNan, 0});
}

}  // namespace
}  // namespace espalier::test
