#include "ops/elu.h"

#include <cmath>

#include <gtest/gtest.h>

#include "tests/ops/elementwise_samples.h"
#include "tests/support/op_test.h"

namespace espalier::test {

OpTest elu_test() {
  return {
      .name = "elu",
      .covers = {"elu_backward"},
      .samples = joined({unary_samples([](const Tensor& x) { return elu(x); },
                                       [](double x) { return x > 0 ? x : std::expm1(x); }, -4, 4),
                         unary_samples([](const Tensor& x) { return elu(x, 0.5); },
                                       [](double x) { return x > 0 ? x : 0.5 * std::expm1(x); }, -4, 4),
                         unary_samples([](const Tensor& x) { return celu(x, 2); },
                                       [](double x) { return x > 0 ? x : 2 * std::expm1(x / 2); }, -4, 4),
                         unary_samples([](const Tensor& x) { return celu(x, -2); },
                                       [](double x) { return x > 0 ? x : -2 * std::expm1(x / -2); }, -4, 4),
                         unary_samples([](const Tensor& x) { return selu(x); },
                                       [](double x) {
                                         return 1.0507009873554804934 *
                                                (x > 0 ? x : 1.6732632423543772848 * std::expm1(x));
                                       },
                                       -4, 4)}),
      .errors =
          {
              {"no tensor", [] { elu(Tensor()); }, "ValueError", {"elu", "undefined"}},
              {"celu by 0", [] { celu(zeros({2}), 0); }, "ValueError", {"celu", "alpha"}},
              {"selu of no tensor", [] { selu(Tensor()); }, "ValueError", {"selu", "undefined"}},
          },
      .dtypes = kAllTypes,
      .benchmarks = unary_benchmarks([](const Tensor& x) { return elu(x); }),
  };
}

namespace {

TEST(Elu, TakesExtremeNumbers) {
  expect_in_both([](const Tensor& x) { return elu(x); }, {kInfinity, -kInfinity, kNan, 1e30, -1e30, 0, -1e-7},
                 {kInfinity, -1, kNan, 1e30, -1, 0, -1e-7});
}

TEST(Elu, SlopeAtTheKinkIsThatFromBelow) {
  expect_in_both([](const Tensor& x) { return slope_of([](const Tensor& v) { return elu(v, 2); }, x); },
                 {0, -0.0, 1e-30, kInfinity, -kInfinity, kNan}, {2, 2, 1, 1, 0, kNan});
}

TEST(Celu, GrowsBelowWhereAlphaIsNegative) {
  expect_in_both([](const Tensor& x) { return celu(x, -1); }, {-1000, -1, -0.0, 2},
                 {-kInfinity, 1 - std::exp(1.0), 0, 2});
}

TEST(Selu, SlopeAtTheKinkIsThatFromBelow) {
  expect_in_both([](const Tensor& x) { return slope_of(selu, x); }, {0, 1e-30, -kInfinity},
                 {1.7580993408473766, 1.0507009873554805, 0});
}

}  // namespace
}  // namespace espalier::test
