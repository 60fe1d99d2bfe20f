#include <algorithm>
#include <string>

#include "ops/lapack_internal.h"
#include "ops/linalg_internal.h"
#include "ops/scratch_internal.h"
#include "ops/triangular_solve.h"

namespace espalier {
namespace {

/// Solves one system; returns the number of the first zero on the diagonal, counted from 1, or 0.
template <class T>
int solve_one(const TriangularOptions& options, T* x, const T* a, const T* b, int64_t n, int64_t k) {
  for (int64_t i = 0; !options.unit_diagonal && i < n; ++i) {
    if (a[i * n + i] == 0) return static_cast<int>(i) + 1;
  }
  std::copy_n(b, n * k, x);
  const int columns = static_cast<int>(k), size = static_cast<int>(n);
  const T one = 1;
  // LAPACK sees the transposes: X^T A^T = B^T, and of A^T, which it was given, the other triangle.
  lapack::Routines<T>::trsm("R", options.lower ? "U" : "L", options.transposed ? "T" : "N",
                            options.unit_diagonal ? "U" : "N", &columns, &size, &one, a, &size, x, &columns,
                            1, 1, 1, 1);
  return 0;
}

}  // namespace

void triangular_solve_cpu(const TriangularSolve& operation, Inputs inputs, Outputs outputs) {
  if (outputs[0].numel() == 0) return;
  const int64_t n = inputs[1].size(-2), k = inputs[1].size(-1);
  const Tensor left = row_major(inputs[0]), right = row_major(inputs[1]);
  visit_matrix_type(left.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const auto *a = static_cast<const T*>(left.raw_data()), *b = static_cast<const T*>(right.raw_data());
    auto* x = static_cast<T*>(outputs[0].raw_data());
    const double work = static_cast<double>(n) * static_cast<double>(n) * static_cast<double>(k) / 2;
    const auto [matrix, pivot] = for_each_matrix(batch_size(left.shape()), work, [&](int64_t i) {
      return solve_one(operation.options(), x + i * n * k, a + i * n * n, b + i * n * k, n, k);
    });
    if (pivot > 0) {
      throw_for_matrix(operation.name(), inputs, matrix,
                       "is singular: pivot " + std::to_string(pivot - 1) + ", counted from 0, is zero");
    }
  });
}

}  // namespace espalier
