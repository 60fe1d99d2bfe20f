#include "ops/hardtanh.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "tests/ops/elementwise_samples.h"
#include "tests/support/op_test.h"

namespace espalier::test {

OpTest hardtanh_test() {
  return {
      .name = "hardtanh",
      .covers = {"hardtanh_backward"},
      .samples = joined({unary_samples([](const Tensor& x) { return hardtanh(x); },
                                       [](double x) { return std::clamp(x, -1.0, 1.0); }, -4, 4),
                         unary_samples([](const Tensor& x) { return hardtanh(x, 0.25, 0.5); },
                                       [](double x) { return std::clamp(x, 0.25, 0.5); }, -4, 4),
                         unary_samples([](const Tensor& x) { return relu6(x); },
                                       [](double x) { return std::clamp(x, 0.0, 6.0); }, -8, 8)}),
      .errors =
          {
              {"no tensor", [] { hardtanh(Tensor()); }, "ValueError", {"hardtanh", "undefined"}},
              {"bounds the wrong way round",
               [] { hardtanh(zeros({2}), 2, 1); },
               "ValueError",
               {"hardtanh", "2", "1"}},
              {"a bound that is no number",
               [] { hardtanh(zeros({2}), kNan, 1); },
               "ValueError",
               {"hardtanh"}},
              {"relu6 of no tensor", [] { relu6(Tensor()); }, "ValueError", {"relu6", "undefined"}},
          },
      .dtypes = kAllTypes,
      .benchmarks = unary_benchmarks([](const Tensor& x) { return hardtanh(x); }),
  };
}

OpTest hardsigmoid_test() {
  return {
      .name = "hardsigmoid",
      .covers = {},
      .samples = unary_samples(
          hardsigmoid, [](double x) { return std::clamp(x / 6 + 0.5, 0.0, 1.0); }, -5, 5),
      .errors =
          {
              {"no tensor", [] { hardsigmoid(Tensor()); }, "ValueError", {"hardsigmoid", "undefined"}},
          },
      .dtypes = kAllTypes,
      .benchmarks = unary_benchmarks(hardsigmoid),
  };
}

OpTest hardswish_test() {
  return {
      .name = "hardswish",
      .covers = {"hardswish_backward"},
      .samples = unary_samples(
          hardswish, [](double x) { return x * std::clamp(x / 6 + 0.5, 0.0, 1.0); }, -5, 5),
      .errors =
          {
              {"no tensor", [] { hardswish(Tensor()); }, "ValueError", {"hardswish", "undefined"}},
          },
      .dtypes = kAllTypes,
      .benchmarks = unary_benchmarks(hardswish),
  };
}

namespace {

TEST(Hardtanh, TakesExtremeNumbers) {
  expect_in_both([](const Tensor& x) { return hardtanh(x); }, {kInfinity, -kInfinity, kNan, 0.5},
                 {1, -1, kNan, 0.5});
}

TEST(Hardtanh, SlopeAtTheBoundsIs0) {
  expect_in_both([](const Tensor& x) { return slope_of([](const Tensor& v) { return hardtanh(v); }, x); },
                 {-1, 1, 0.999, -0.999, kInfinity, kNan}, {0, 0, 1, 1, 0, 0});
}

TEST(Relu6, SlopeAtTheBoundsIs0) {
  expect_in_both([](const Tensor& x) { return slope_of(relu6, x); }, {0, 6, 3, 7, -1}, {0, 0, 1, 0, 0});
}

TEST(Hardsigmoid, TakesExtremeNumbers) {
  expect_in_both(hardsigmoid, {kInfinity, -kInfinity, kNan, 3, -3, 0}, {1, 0, kNan, 1, 0, 0.5});
}

TEST(Hardsigmoid, SlopeAtTheKinksIs0) {
  expect_in_both([](const Tensor& x) { return slope_of(hardsigmoid, x); }, {-3, 3, 2.9, kNan},
                 {0, 0, 0.16666666666666667, 0});
}

TEST(Hardswish, TakesExtremeNumbers) {
  expect_in_both(hardswish, {kInfinity, -kInfinity, kNan, 1e30, -1e30, 3, -3, 0},
                 {kInfinity, kNan, kNan, 1e30, 0, 3, 0, 0});
}

TEST(Hardswish, SlopeAtTheKinksIsThatOutside) {
  expect_in_both([](const Tensor& x) { return slope_of(hardswish, x); },
                 {-3, 3, 0, kInfinity, -kInfinity, kNan}, {0, 1, 0.5, 1, 0, kNan});
}

}  // namespace
}  // namespace espalier::test
