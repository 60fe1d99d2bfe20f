#include "ops/determinant.h"

#include <cmath>

#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "ops/permute.h"
#include "tests/ops/linalg_samples.h"

namespace espalier::test {
namespace {

double determinant_of(const Array& a) {
  double value = 1;
  solve_by_elimination(a, Array({a.shape[0], 0}), &value);
  return value;
}

Array scalar(double value) {
  Array array;
  array[0] = value;
  return array;
}

OpSample determinant_sample(std::string label, const Shape& shape) {
  return matrix_sample(
      std::move(label), shape, false, [](const Tensor& a) { return Tensors{determinant(a)}; },
      [](const Array& a) { return Arrays{scalar(determinant_of(a))}; });
}

OpSample log_sample(std::string label, const Shape& shape) {
  return matrix_sample(
      std::move(label), shape, false, [](const Tensor& a) { return Tensors{slogdet(a).log_magnitude}; },
      [](const Array& a) { return Arrays{scalar(std::log(std::abs(determinant_of(a))))}; });
}

Tensors determinant_run(const Tensor& a) {
  return {determinant(a)};
}

Tensors run_log(const Tensor& a) {
  const SignAndLog found = slogdet(a);
  return {found.sign, found.log_magnitude};
}

TEST(Determinant, KnowsItsSign) {
  // An exchange of rows, a rotation, minus the identity of odd size, a singular matrix.
  const Tensor a = from_values<double>({0,  1, 0, 1, 0,  0, 0, 0, 1,  0, 1, 0, 0, 0, 1, 1, 0, 0,
                                        -1, 0, 0, 0, -1, 0, 0, 0, -1, 1, 2, 3, 2, 4, 6, 0, 0, 1},
                                       {2, 2, 3, 3});
  EXPECT_EQ(determinant(a).to_vector<double>(), (std::vector<double>{-1, 1, -1, 0}));
  const SignAndLog found = slogdet(a);
  EXPECT_EQ(found.sign.to_vector<double>(), (std::vector<double>{-1, 1, -1, 0}));
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(found.log_magnitude.to_vector<double>(), (std::vector<double>{0, 0, 0, -infinity}));
}

TEST(Determinant, LogarithmsDoNotOverflow) {
  const Tensor a = from_values<float>({1e30F, 0, 0, -1e30F}, {2, 2});
  EXPECT_EQ(determinant(a).item(), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(slogdet(a).sign.item(), -1);
  EXPECT_FLOAT_EQ(static_cast<float>(slogdet(a).log_magnitude.item()), 60 * std::log(10.0F));
}

TEST(Determinant, ASingularMatrixHasNoGradient) {
  const Tensor a = requires_grad_(ones({2, 2}));
  EXPECT_THROW(backward(determinant(a)), ValueError);
}

TEST(Determinant, NanStaysNan) {
  const Tensor a = from_values<double>({std::nan(""), 0, 0, 1}, {2, 2});
  EXPECT_TRUE(std::isnan(determinant(a).item()));
  EXPECT_TRUE(std::isnan(slogdet(a).sign.item()));
}

TEST(Determinant, TakesIntegers) {
  EXPECT_EQ(determinant(from_values<int64_t>({2, 0, 0, 3}, {2, 2})).to_vector<float>(),
            std::vector<float>{6});
}

}  // namespace

OpTest determinant_test() {
  return {
      .name = "determinant",
      .samples = {determinant_sample("matrix", {4, 4}), determinant_sample("batch", {2, 3, 2, 2}),
                  determinant_sample("no elements", {2, 0, 0}), determinant_sample("no matrices", {0, 2, 2})},
      .errors =
          {{"not square", [] { determinant(zeros({2, 3})); }, "ShapeError", {"determinant", "f32[2, 3]"}},
           {"no tensor", [] { determinant({}); }, "ValueError", {"determinant", "undefined"}}},
      .dtypes = kMatrixTypes,
      .tolerance = kMatrixTolerance,
      .benchmarks = {matrix_benchmark("512", {512, 512}, determinant_run),
                     matrix_benchmark("64 x 32", {64, 32, 32}, determinant_run)},
  };
}

OpTest log_determinant_test() {
  return {
      .name = "log_determinant",
      .samples = {log_sample("matrix", {4, 4}), log_sample("batch", {2, 3, 2, 2}),
                  log_sample("no elements", {2, 0, 0}),
                  matrix_sample(
                      "transposed", {3, 3}, false,
                      [](const Tensor& a) { return Tensors{slogdet(transpose(a, 0, 1)).log_magnitude}; },
                      [](const Array& a) { return Arrays{scalar(std::log(determinant_of(a)))}; })},
      .errors =
          {{"not square", [] { slogdet(zeros({2, 3})); }, "ShapeError", {"log_determinant", "f32[2, 3]"}},
           {"no tensor", [] { slogdet({}); }, "ValueError", {"log_determinant", "undefined"}}},
      .dtypes = kMatrixTypes,
      .tolerance = kMatrixTolerance,
      .benchmarks = {matrix_benchmark("512", {512, 512}, run_log)},
  };
}

}  // namespace espalier::test
