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

OpTest log1p_test() {
  return {
      .name = "log1p",
      .samples = unary_samples(
          log1p, [](double x) { return std::log1p(x); }, -0.5, 4),
      .errors = {{"no tensor", [] { log1p(Tensor()); }, "ValueError", {"log1p", "undefined"}}},
      .dtypes = kAllTypes,
      .benchmarks = unary_benchmarks(log1p),
  };
}

OpTest log2_test() {
  return {
      .name = "log2",
      .samples = unary_samples(
          log2, [](double x) { return std::log2(x); }, 0.5, 4),
      .errors = {{"no tensor", [] { log2(Tensor()); }, "ValueError", {"log2", "undefined"}}},
      .dtypes = kAllTypes,
      .benchmarks = unary_benchmarks(log2),
  };
}

OpTest log10_test() {
  return {
      .name = "log10",
      .samples = unary_samples(
          log10, [](double x) { return std::log10(x); }, 0.5, 4),
      .errors = {{"no tensor", [] { log10(Tensor()); }, "ValueError", {"log10", "undefined"}}},
      .dtypes = kAllTypes,
      .benchmarks = unary_benchmarks(log10),
  };
}

namespace {

TEST(Log, TakesExtremeNumbers) {
  expect_in_both(log, {kInfinity, -kInfinity, kNan, 0, -1, 1}, {kInfinity, kNan, kNan, -kInfinity, kNan, 0});
}

TEST(Log1p, TakesExtremeNumbers) {
  expect_in_both(log1p, {kInfinity, -kInfinity, kNan, -1, -2, 0},
                 {kInfinity, kNan, kNan, -kInfinity, kNan, 0});
}

TEST(Log2, TakesExtremeNumbers) {
  expect_in_both(log2, {kInfinity, -kInfinity, kNan, 0, -1, 1, 0x1p-140, 0x1p100},
                 {kInfinity, kNan, kNan, -kInfinity, kNan, 0, -140, 100});
}

TEST(Log10, TakesExtremeNumbers) {
  expect_in_both(log10, {kInfinity, -kInfinity, kNan, 0, -1, 1, 1000, 1e-40},
                 {kInfinity, kNan, kNan, -kInfinity, kNan, 0, 3, -40});
}

}  // namespace
}  // namespace espalier::test
