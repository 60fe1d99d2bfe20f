#include "ops/qr.h"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "ops/permute.h"
#include "ops/sum.h"
#include "tests/ops/linalg_samples.h"

namespace espalier::test {
namespace {

/// Householder reflections, one column after the other; each takes the sign that avoids cancellation, as
/// LAPACK's do.
Arrays qr_reference(const Array& a) {
  const int64_t m = a.shape[0], n = a.shape[1], k = std::min(m, n);
  Array r = a, q({m, m});
  for (int64_t i = 0; i < m; ++i) q.at({i, i}) = 1;
  for (int64_t step = 0; step < std::min(m - 1, n); ++step) {
    std::vector<double> v(static_cast<size_t>(m));
    double norm = 0;
    for (int64_t i = step; i < m; ++i) {
      v[static_cast<size_t>(i)] = r.at({i, step});
      norm += r.at({i, step}) * r.at({i, step});
    }
    double& first = v[static_cast<size_t>(step)];
    if (norm == first * first) continue;  // nothing to reflect away, and no change of sign
    first += std::copysign(std::sqrt(norm), first);
    double squared = 0;
    for (const double x : v) squared += x * x;
    for (int64_t j = 0; j < n; ++j) {
      double dot = 0;
      for (int64_t i = 0; i < m; ++i) dot += v[static_cast<size_t>(i)] * r.at({i, j});
      for (int64_t i = 0; i < m; ++i) r.at({i, j}) -= 2 * v[static_cast<size_t>(i)] * dot / squared;
    }
    for (int64_t j = 0; j < m; ++j) {
      double dot = 0;
      for (int64_t i = 0; i < m; ++i) dot += v[static_cast<size_t>(i)] * q.at({j, i});
      for (int64_t i = 0; i < m; ++i) q.at({j, i}) -= 2 * v[static_cast<size_t>(i)] * dot / squared;
    }
  }
  Array thin_q({m, k}), thin_r({k, n});
  for_each_index(thin_q.shape, [&](const Dims& i) { thin_q.at(i) = q.at(i); });
  for_each_index(thin_r.shape, [&](const Dims& i) { thin_r.at(i) = i[1] < i[0] ? 0 : r.at(i); });
  return {thin_q, thin_r};
}

Tensors qr_run(const Tensor& a) {
  const QrFactors factors = qr(a);
  return {factors.q, factors.r};
}

OpSample qr_sample(std::string label, const Shape& shape) {
  return matrix_sample(std::move(label), shape, false, qr_run, qr_reference);
}

TEST(Qr, DependentColumnsHaveNoGradient) {
  const Tensor a = requires_grad_(zeros({3, 2}));
  EXPECT_THROW(backward(sum(qr(a).r)), ValueError);
}

TEST(Qr, TakesIntegers) {
  const QrFactors factors = qr(from_values<int32_t>({3, 4}, {2, 1}));
  EXPECT_FLOAT_EQ(static_cast<float>(factors.r.item()), -5);
}

}  // namespace

OpTest qr_test() {
  return {
      .name = "qr",
      .samples = {qr_sample("tall", {5, 3}), qr_sample("square", {4, 4}), qr_sample("wide", {3, 5}),
                  qr_sample("batch", {2, 3, 4, 2}), qr_sample("one row", {1, 3}),
                  qr_sample("no columns", {3, 0}), qr_sample("no rows", {2, 0, 3}),
                  qr_sample("no matrices", {0, 3, 2}),
                  matrix_sample(
                      "transposed", {3, 4}, false, [](const Tensor& a) { return qr_run(transpose(a, 0, 1)); },
                      [](const Array& a) { return qr_reference(transposed(a)); }),
                  matrix_sample(
                      "Q alone", {3, 4}, false, [](const Tensor& a) { return Tensors{qr(a).q}; },
                      [](const Array& a) { return Arrays{qr_reference(a)[0]}; }),
                  matrix_sample(
                      "R alone", {4, 3}, false, [](const Tensor& a) { return Tensors{qr(a).r}; },
                      [](const Array& a) { return Arrays{qr_reference(a)[1]}; })},
      .errors = {{"a vector", [] { qr(zeros({3})); }, "ShapeError", {"qr", "f32[3]", "matrix"}},
                 {"no tensor", [] { qr({}); }, "ValueError", {"qr", "undefined"}}},
      .dtypes = kMatrixTypes,
      .tolerance = kMatrixTolerance,
      .benchmarks = {matrix_benchmark("512", {512, 512}, qr_run),
                     matrix_benchmark("1024 x 128", {1024, 128}, qr_run),
                     matrix_benchmark("64 x 32", {64, 32, 32}, qr_run)},
  };
}

}  // namespace espalier::test
