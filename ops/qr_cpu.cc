#include <algorithm>
#include <vector>

#include "ops/lapack_internal.h"
#include "ops/linalg_internal.h"
#include "ops/qr.h"
#include "ops/scratch_internal.h"

namespace espalier {
namespace {

/// A = Q R is A^T = L P with L = R^T and P = Q^T, and memory holds A^T for LAPACK: the LQ factorisation gives
/// both factors as they must lie.
template <class T>
void factorise(T* q, T* r, const T* a, int64_t m, int64_t n) {
  const int64_t k = std::min(m, n);
  const int rows = static_cast<int>(n), columns = static_cast<int>(m), rank = static_cast<int>(k);
  std::vector<T> factors(a, a + m * n), tau(static_cast<size_t>(k));
  int info = 0;
  const auto reduce = [&](T* work, const int* length) {
    lapack::Routines<T>::gelqf(&rows, &columns, factors.data(), &rows, tau.data(), work, length, &info);
  };
  lapack::Workspace<T> work(reduce);
  reduce(work.data(), work.length());
  for (int64_t i = 0; i < k; ++i) {
    std::fill_n(r + i * n, i, T(0));
    std::copy(factors.data() + i * n + i, factors.data() + (i + 1) * n, r + i * n + i);
  }
  for (int64_t i = 0; i < m; ++i) std::copy_n(factors.data() + i * n, k, q + i * k);
  const auto expand = [&](T* space, const int* length) {
    lapack::Routines<T>::orglq(&rank, &columns, &rank, q, &rank, tau.data(), space, length, &info);
  };
  lapack::Workspace<T> space(expand);
  expand(space.data(), space.length());
}

}  // namespace

void qr_cpu(const Qr&, Inputs inputs, Outputs outputs) {
  if (inputs[0].numel() == 0) return;
  const int64_t m = inputs[0].size(-2), n = inputs[0].size(-1), k = std::min(m, n);
  const Tensor source = row_major(inputs[0]);
  visit_matrix_type(source.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const auto* a = static_cast<const T*>(source.raw_data());
    auto *q = static_cast<T*>(outputs[0].raw_data()), *r = static_cast<T*>(outputs[1].raw_data());
    const double work = 2 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
    for_each_matrix(batch_size(source.shape()), work, [&](int64_t i) {
      factorise(q + i * m * k, r + i * k * n, a + i * m * n, m, n);
      return 0;
    });
  });
}

}  // namespace espalier
