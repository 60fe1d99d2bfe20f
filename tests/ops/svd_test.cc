#include "ops/svd.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "ops/matmul.h"
#include "ops/multiply.h"
#include "ops/permute.h"
#include "ops/reshape.h"
#include "ops/sum.h"
#include "tests/ops/linalg_samples.h"

namespace espalier::test {
namespace {

/// What does not depend on the vectors' signs: U o U, s, V^T o V^T and U diag(s^2 / 16) V^T, which is of
/// order 1; by Hestenes's method, which turns pairs of columns until all are orthogonal.
Arrays tall_reference(Array a) {
  const int64_t m = a.shape[0], n = a.shape[1];
  const Array original = a;
  Array v({n, n});
  for (int64_t i = 0; i < n; ++i) v.at({i, i}) = 1;
  const auto turn = [](Array& matrix, int64_t p, int64_t q, double c, double s) {
    for (int64_t i = 0; i < matrix.shape[0]; ++i) {
      const double x = matrix.at({i, p}), y = matrix.at({i, q});
      matrix.at({i, p}) = c * x - s * y;
      matrix.at({i, q}) = s * x + c * y;
    }
  };
  for (int sweep = 0; sweep < 30; ++sweep) {
    for (int64_t p = 0; p < n; ++p) {
      for (int64_t q = p + 1; q < n; ++q) {
        double pp = 0, qq = 0, pq = 0;
        for (int64_t i = 0; i < m; ++i) {
          pp += a.at({i, p}) * a.at({i, p});
          qq += a.at({i, q}) * a.at({i, q});
          pq += a.at({i, p}) * a.at({i, q});
        }
        if (std::abs(pq) <= 0x1p-53 * std::sqrt(pp * qq)) continue;  // each turn rounds
        const double angle = 0.5 * std::atan2(2 * pq, qq - pp);
        turn(a, p, q, std::cos(angle), std::sin(angle));
        turn(v, p, q, std::cos(angle), std::sin(angle));
      }
    }
  }
  std::vector<double> norms;
  for (int64_t j = 0; j < n; ++j) {
    double squared = 0;
    for (int64_t i = 0; i < m; ++i) squared += a.at({i, j}) * a.at({i, j});
    norms.push_back(std::sqrt(squared));
  }
  std::vector<int64_t> order(static_cast<size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](int64_t i, int64_t j) {
    return norms[static_cast<size_t>(i)] > norms[static_cast<size_t>(j)];
  });
  Array u2({m, n}), s({n}), vt2({n, n}), whole({m, n});
  for (int64_t j = 0; j < n; ++j) {
    const int64_t from = order[static_cast<size_t>(j)];
    s[j] = norms[static_cast<size_t>(from)];
    for (int64_t i = 0; i < m; ++i) u2.at({i, j}) = std::pow(a.at({i, from}) / s[j], 2);
    for (int64_t i = 0; i < n; ++i) vt2.at({j, i}) = std::pow(v.at({i, from}), 2);
    for (int64_t i = 0; i < m; ++i) {
      for (int64_t l = 0; l < n; ++l) whole.at({i, l}) += a.at({i, from}) * s[j] / 16 * v.at({l, from});
    }
  }
  return {u2, s, vt2, whole};
}

Arrays svd_reference(const Array& a) {
  if (a.shape[0] >= a.shape[1]) return tall_reference(a);
  const Arrays turned = tall_reference(transposed(a));
  return {transposed(turned[2]), turned[1], transposed(turned[0]), transposed(turned[3])};
}

Tensors svd_invariants(const Tensor& a) {
  const SvdFactors f = svd(a);
  return {f.u * f.u, f.s, f.vt * f.vt, matmul(f.u * unsqueeze(f.s * f.s * 0.0625, -2), f.vt)};
}

OpSample svd_sample(std::string label, const Shape& shape) {
  return matrix_sample(std::move(label), shape, false, svd_invariants, svd_reference);
}

Tensors svd_run(const Tensor& a) {
  const SvdFactors f = svd(a);
  return {f.u, f.s, f.vt};
}

TEST(Svd, ValuesThatCoincideHaveGradients) {
  const Tensor a = requires_grad_(from_values<double>({0, 2, 2, 0}, {2, 2}));
  backward(sum(svd(a).s));
  const std::vector<double> gradient = a.grad().to_vector<double>(), expected = {0, 1, 1, 0};
  // Orthonormal vectors of a 2 x 2 matrix to a few roundings.
  for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(gradient[i], expected[i], 1e-15);
}

TEST(Svd, NamesTheMatrixThatIsNotFinite) {
  try {
    svd(from_values<float>({1, 2, INFINITY, 3}, {2, 1, 2}));
    FAIL() << "no error";
  } catch (const ValueError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("matrix [1] of the batch has elements"));
  }
}

TEST(Svd, TakesIntegers) {
  EXPECT_FLOAT_EQ(static_cast<float>(svd(from_values<int16_t>({3, 4}, {1, 2})).s.item()), 5);
}

}  // namespace

OpTest svd_test() {
  return {
      .name = "svd",
      .samples = {svd_sample("tall", {5, 3}), svd_sample("square", {3, 3}), svd_sample("wide", {2, 4}),
                  svd_sample("batch", {2, 2, 3, 2}), svd_sample("one column", {3, 1}),
                  svd_sample("no columns", {3, 0}), svd_sample("no rows", {2, 0, 3}),
                  svd_sample("no matrices", {0, 3, 2}),
                  matrix_sample(
                      "transposed", {3, 4}, false,
                      [](const Tensor& a) { return svd_invariants(transpose(a, 0, 1)); },
                      [](const Array& a) { return svd_reference(transposed(a)); }),
                  matrix_sample(
                      "values alone", {4, 3}, false, [](const Tensor& a) { return Tensors{svd(a).s}; },
                      [](const Array& a) { return Arrays{svd_reference(a)[1]}; }),
                  matrix_sample(
                      "vectors of one side", {2, 4}, false,
                      [](const Tensor& a) {
                        const Tensor vt = svd(a).vt;
                        return Tensors{vt * vt};
                      },
                      [](const Array& a) { return Arrays{svd_reference(a)[2]}; })},
      .errors = {{"a vector", [] { svd(zeros({3})); }, "ShapeError", {"svd", "f32[3]", "matrix"}},
                 {"too large",
                  [] { svd(empty({30000, 40000}, Dtype::f32, kMeta)); },
                  "ShapeError",
                  {"svd", "30000", "23000"}},
                 {"no tensor", [] { svd({}); }, "ValueError", {"svd", "undefined"}}},
      .dtypes = kMatrixTypes,
      .tolerance = kMatrixTolerance,
      .benchmarks = {matrix_benchmark("256", {256, 256}, svd_run),
                     matrix_benchmark("64 x 32", {64, 32, 32}, svd_run)},
  };
}

}  // namespace espalier::test
