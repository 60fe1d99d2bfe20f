#include "ops/erf.h"

#include <cmath>

#include <gtest/gtest.h>

#include "tests/ops/elementwise_samples.h"
#include "tests/support/op_test.h"

namespace espalier::test {

OpTest erf_test() {
  return {
      .name = "erf",
      .samples = unary_samples(
          erf, [](double x) { return std::erf(x); }, -3, 3),
      .errors = {{"no tensor", [] { erf(Tensor()); }, "ValueError", {"erf", "undefined"}}},
      .dtypes = kAllTypes,
      .benchmarks = unary_benchmarks(erf),
  };
}

namespace {

TEST(Erf, TakesExtremeNumbers) {
  expect_in_both(erf, {kInfinity, -kInfinity, kNan, 1e30, -1e30, 0}, {1, -1, kNan, 1, -1, 0});
}

}  // namespace
}  // namespace espalier::test
