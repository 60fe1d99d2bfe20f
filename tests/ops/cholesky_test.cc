#include "ops/cholesky.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "ops/multiply.h"
#include "ops/permute.h"
#include "ops/sum.h"
#include "tests/ops/linalg_samples.h"

namespace espalier::test {
namespace {

/// Row by row.
Arrays cholesky_reference(const Array& a) {
  Array l(a.shape);
  for_each_index(a.shape, [&](const Dims& index) {
    const int64_t i = index[0], j = index[1];
    if (j > i) return;
    double rest = a.at(index);
    for (int64_t k = 0; k < j; ++k) rest -= l.at({i, k}) * l.at({j, k});
    l.at(index) = i == j ? std::sqrt(rest) : rest / l.at({j, j});
  });
  return {l};
}

OpSample cholesky_sample(std::string label, const Shape& shape) {
  return matrix_sample(
      std::move(label), shape, true, [](const Tensor& a) { return Tensors{cholesky(a)}; },
      cholesky_reference);
}

Tensors factor(const Tensor& x) {
  return {cholesky(shifted_symmetric(x * (1.0 / static_cast<double>(x.size(-1)))))};
}

TEST(Cholesky, ReadsTheLowerTriangleOnly) {
  const Tensor l = cholesky(from_values<double>({4, 99, 2, 10}, {2, 2}));
  EXPECT_EQ(l.to_vector<double>(), (std::vector<double>{2, 0, 1, 3}));
}

TEST(Cholesky, NamesTheFirstMatrixThatIsNotPositiveDefinite) {
  const Tensor a = from_values<float>({1, 0, 0, 1, 1, 2, 2, 1, -1, 0, 0, 1}, {3, 1, 2, 2});
  try {
    cholesky(a);
    FAIL() << "no error";
  } catch (const ValueError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("matrix [1, 0] of the batch"));
    EXPECT_THAT(error.what(), testing::HasSubstr("pivot 1,"));
  }
  const double nan = std::nan("");
  EXPECT_THROW(cholesky(from_values<double>({nan, 0, 0, 1}, {2, 2})), ValueError);
}

TEST(Cholesky, TheGradientIsSymmetric) {
  const Tensor a = requires_grad_(from_values<double>({4, 1, 1, 3}, {2, 2}));
  backward(sum(cholesky(a)));
  const std::vector<double> gradient = a.grad().to_vector<double>();
  EXPECT_NE(gradient[1], 0);
  EXPECT_EQ(gradient[1], gradient[2]);
}

TEST(Cholesky, TakesIntegers) {
  const Tensor l = cholesky(from_values<int32_t>({4, 2, 2, 10}, {2, 2}));
  EXPECT_EQ(l.to_vector<float>(), (std::vector<float>{2, 0, 1, 3}));
}

}  // namespace

OpTest cholesky_test() {
  return {
      .name = "cholesky",
      .samples = {cholesky_sample("matrix", {4, 4}), cholesky_sample("batch", {2, 3, 3, 3}),
                  cholesky_sample("one element", {1, 1}), cholesky_sample("no elements", {2, 0, 0}),
                  cholesky_sample("no matrices", {0, 3, 3}),
                  matrix_sample(
                      "transposed", {3, 3}, true,
                      [](const Tensor& a) { return Tensors{cholesky(transpose(a, 0, 1))}; },
                      cholesky_reference)},
      .errors =
          {{"not square", [] { cholesky(zeros({2, 3})); }, "ShapeError", {"cholesky", "f32[2, 3]", "square"}},
           {"a vector", [] { cholesky(zeros({3})); }, "ShapeError", {"cholesky", "f32[3]", "matrix"}},
           {"zeros", [] { cholesky(zeros({2, 2})); }, "ValueError", {"cholesky", "f32[2, 2]", "pivot 0"}},
           {"no tensor", [] { cholesky({}); }, "ValueError", {"cholesky", "undefined"}}},
      .dtypes = kMatrixTypes,
      .tolerance = kMatrixTolerance,
      .benchmarks = {matrix_benchmark("512", {512, 512}, factor),
                     matrix_benchmark("64 x 32", {64, 32, 32}, factor)},
  };
}

}  // namespace espalier::test
