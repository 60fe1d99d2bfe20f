#include "ops/sigmoid.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/ops/elementwise_samples.h"
#include "tests/support/op_test.h"

namespace espalier::test {

OpTest sigmoid_test() {
  return {
      .name = "sigmoid",
      .covers = {"sigmoid_backward"},
      .samples = unary_samples(
          sigmoid, [](double x) { return 1 / (1 + std::exp(-x)); }, -2, 2),
      .errors = {{"no tensor", [] { sigmoid(Tensor()); }, "ValueError", {"sigmoid", "undefined"}}},
      .dtypes = kAllTypes,
      .benchmarks = unary_benchmarks(sigmoid),
  };
}

namespace {

TEST(Sigmoid, TakesExtremeNumbers) {
  expect_elements<float>(sigmoid, {kInfinity, -kInfinity, kNan, 1000, -1000, 0}, {1, 0, kNan, 1, 0, 0.5});
  expect_elements<double>(sigmoid, {kInfinity, -kInfinity, kNan, 1000, -1000, 0}, {1, 0, kNan, 1, 0, 0.5});
}

TEST(Glu, GatesTheFirstHalfByTheSecond) {
  const Tensor x = from_values<float>({1, 2, 0, -100, 3, 4, 100, 0}, {2, 4});
  EXPECT_EQ(glu(x).to_vector<float>(), (std::vector<float>{0.5F, 0, 3, 2}));
  const std::vector<float> rows = glu(x, 0).to_vector<float>();
  EXPECT_FLOAT_EQ(rows[2], 0);
  EXPECT_FLOAT_EQ(rows[3], -50);
  EXPECT_EQ(to_string(glu(zeros({0, 4})).shape()), "[0, 2]");
  EXPECT_THROW(glu(zeros({2, 3})), ShapeError);
  EXPECT_THROW(glu(zeros({2, 4}), 2), ShapeError);
  EXPECT_THROW(glu(Tensor()), ValueError);
}

}  // namespace
}  // namespace espalier::test
