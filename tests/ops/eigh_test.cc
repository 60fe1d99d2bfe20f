#include "ops/eigh.h"

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

/// Jacobi's rotations, until nothing is left off the diagonal.
std::pair<std::vector<double>, Array> jacobi(Array a) {
  const int64_t n = a.shape[0];
  Array v({n, n});
  for (int64_t i = 0; i < n; ++i) v.at({i, i}) = 1;
  for (int sweep = 0; sweep < 30; ++sweep) {
    for (int64_t p = 0; p < n; ++p) {
      for (int64_t q = p + 1; q < n; ++q) {
        if (std::abs(a.at({p, q})) <= 0x1p-53) continue;  // each turn rounds
        const double angle = 0.5 * std::atan2(2 * a.at({p, q}), a.at({q, q}) - a.at({p, p}));
        const double c = std::cos(angle), s = std::sin(angle);
        Array turn({n, n});
        for (int64_t i = 0; i < n; ++i) turn.at({i, i}) = i == p || i == q ? c : 1;
        turn.at({p, q}) = s;
        turn.at({q, p}) = -s;
        a = product(transposed(turn), product(a, turn));
        v = product(v, turn);
      }
    }
  }
  std::vector<double> w;
  for (int64_t i = 0; i < n; ++i) w.push_back(a.at({i, i}));
  return {w, v};
}

/// What does not depend on the vectors' signs: values, squared vectors, and V diag(w^2) V^T.
Arrays eigh_reference(const Array& a) {
  const int64_t n = a.shape[0];
  const auto [w, v] = jacobi(a);
  std::vector<int64_t> order(static_cast<size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(),
            [&w = w](int64_t i, int64_t j) { return w[static_cast<size_t>(i)] < w[static_cast<size_t>(j)]; });
  Array values({n}), squares({n, n});
  for (int64_t j = 0; j < n; ++j) {
    const int64_t from = order[static_cast<size_t>(j)];
    values[j] = w[static_cast<size_t>(from)];
    for (int64_t i = 0; i < n; ++i) squares.at({i, j}) = v.at({i, from}) * v.at({i, from});
  }
  return {values, squares, product(a, a)};
}

Tensors eigh_invariants(const EighFactors& factors) {
  const Tensor& v = factors.vectors;
  const Tensor scaled = v * unsqueeze(factors.values * factors.values, -2);
  return {factors.values, v * v, matmul(scaled, transpose(v, -2, -1))};
}

OpSample eigh_sample(std::string label, const Shape& shape) {
  return matrix_sample(
      std::move(label), shape, true, [](const Tensor& a) { return eigh_invariants(eigh(a)); },
      eigh_reference);
}

Tensors eigh_run(const Tensor& a) {
  const EighFactors factors = eigh(a);
  return {factors.values, factors.vectors};
}

TEST(Eigh, ReadsTheLowerTriangleOnly) {
  const EighFactors factors = eigh(from_values<double>({1, std::nan(""), 0, 3}, {2, 2}));
  EXPECT_EQ(factors.values.to_vector<double>(), (std::vector<double>{1, 3}));
}

TEST(Eigh, ValuesThatCoincideHaveGradients) {
  const Tensor a = requires_grad_(from_values<double>({2, 0, 0, 2}, {2, 2}));
  backward(sum(eigh(a).values));
  EXPECT_EQ(a.grad().to_vector<double>(), (std::vector<double>{1, 0, 0, 1}));
}

TEST(Eigh, TheGradientIsSymmetric) {
  const Tensor a = requires_grad_(from_values<double>({1, 0.5, 0.5, 3}, {2, 2}));
  const Tensor v = eigh(a).vectors;
  backward(sum(v * v * from_values<double>({1, 2, 5, 3}, {2, 2})));
  const std::vector<double> gradient = a.grad().to_vector<double>();
  EXPECT_NE(gradient[1], 0);
  EXPECT_EQ(gradient[1], gradient[2]);
}

TEST(Eigh, NamesTheMatrixThatIsNotFinite) {
  try {
    eigh(from_values<double>({1, 0, 0, 3, 1, 0, std::nan(""), 3}, {2, 2, 2}));
    FAIL() << "no error";
  } catch (const ValueError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("matrix [1] of the batch has elements"));
  }
}

}  // namespace

OpTest eigh_test() {
  return {
      .name = "eigh",
      .samples = {eigh_sample("matrix", {4, 4}), eigh_sample("batch", {2, 2, 3, 3}),
                  eigh_sample("one element", {1, 1}), eigh_sample("no elements", {2, 0, 0}),
                  eigh_sample("no matrices", {0, 3, 3}),
                  matrix_sample(
                      "values alone", {3, 3}, true,
                      [](const Tensor& a) { return Tensors{eigh(transpose(a, 0, 1)).values}; },
                      [](const Array& a) { return Arrays{eigh_reference(a)[0]}; })},
      .errors = {{"not square", [] { eigh(zeros({2, 3})); }, "ShapeError", {"eigh", "f32[2, 3]", "square"}},
                 {"too large",
                  [] { eigh(empty({40000, 40000}, Dtype::f32, kMeta)); },
                  "ShapeError",
                  {"eigh", "40000", "32000"}},
                 {"no tensor", [] { eigh({}); }, "ValueError", {"eigh", "undefined"}}},
      .dtypes = kMatrixTypes,
      .tolerance = kMatrixTolerance,
      .benchmarks = {matrix_benchmark("256", {256, 256}, eigh_run),
                     matrix_benchmark("64 x 32", {64, 32, 32}, eigh_run)},
  };
}

}  // namespace espalier::test
