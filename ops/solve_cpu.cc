#include <algorithm>
#include <string>
#include <vector>

#include "ops/lapack_internal.h"
#include "ops/linalg_internal.h"
#include "ops/scratch_internal.h"
#include "ops/solve.h"

namespace espalier {
namespace {

/// Solves one system; returns the number of the pivot that is zero, counted from 1, or 0.
template <class T>
int solve_one(T* x, const T* a, const T* b, int64_t n, int64_t k) {
  std::vector<T> lu(a, a + n * n);
  std::vector<int> pivots(static_cast<size_t>(n));
  const int size = static_cast<int>(n), columns = static_cast<int>(k);
  int info = 0;
  lapack::Routines<T>::getrf(&size, &size, lu.data(), &size, pivots.data(), &info);
  if (info > 0) return info;
  // What LAPACK has factorised is the transpose; the right-hand sides must lie column by column.
  std::vector<T> turned(k == 1 ? 0 : static_cast<size_t>(n * k));
  T* const sides = k == 1 ? x : turned.data();
  transpose_into(sides, b, n, k);
  lapack::Routines<T>::getrs("T", &size, &columns, lu.data(), &size, pivots.data(), sides, &size, &info, 1);
  if (k != 1) transpose_into(x, sides, k, n);
  return 0;
}

/// Inverts one matrix; returns as solve_one() does. The inverse of the transpose is the transposed inverse,
/// so memory needs no turning.
template <class T>
int invert_one(T* x, const T* a, int64_t n) {
  std::copy_n(a, n * n, x);
  std::vector<int> pivots(static_cast<size_t>(n));
  const int size = static_cast<int>(n);
  int info = 0;
  lapack::Routines<T>::getrf(&size, &size, x, &size, pivots.data(), &info);
  if (info > 0) return info;
  const auto invert = [&](T* work, const int* length) {
    lapack::Routines<T>::getri(&size, x, &size, pivots.data(), work, length, &info);
  };
  lapack::Workspace<T> work(invert);
  invert(work.data(), work.length());
  return info;
}

void check_regular(std::string_view name, Inputs inputs, std::pair<int64_t, int> wrong) {
  if (wrong.second == 0) return;
  throw_for_matrix(name, inputs, wrong.first,
                   "is singular: pivot " + std::to_string(wrong.second - 1) + ", counted from 0, is zero");
}

}  // namespace

void solve_cpu(const Solve& operation, Inputs inputs, Outputs outputs) {
  if (outputs[0].numel() == 0) return;
  const int64_t n = inputs[1].size(-2), k = inputs[1].size(-1);
  const Tensor left = row_major(inputs[0]), right = row_major(inputs[1]);
  visit_matrix_type(left.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const auto *a = static_cast<const T*>(left.raw_data()), *b = static_cast<const T*>(right.raw_data());
    auto* x = static_cast<T*>(outputs[0].raw_data());
    const double size = static_cast<double>(n), work = size * size * (size / 3 + static_cast<double>(k));
    check_regular(operation.name(), inputs, for_each_matrix(batch_size(left.shape()), work, [&](int64_t i) {
                    return solve_one(x + i * n * k, a + i * n * n, b + i * n * k, n, k);
                  }));
  });
}

void inverse_cpu(const Inverse& operation, Inputs inputs, Outputs outputs) {
  if (outputs[0].numel() == 0) return;
  const int64_t n = inputs[0].size(-1);
  const Tensor source = row_major(inputs[0]);
  visit_matrix_type(source.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const auto* a = static_cast<const T*>(source.raw_data());
    auto* x = static_cast<T*>(outputs[0].raw_data());
    const double size = static_cast<double>(n);
    check_regular(operation.name(), inputs,
                  for_each_matrix(batch_size(source.shape()), size * size * size,
                                  [&](int64_t i) { return invert_one(x + i * n * n, a + i * n * n, n); }));
  });
}

}  // namespace espalier
