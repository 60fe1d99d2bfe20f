#include <algorithm>
#include <string>

#include "ops/cholesky.h"
#include "ops/lapack_internal.h"
#include "ops/linalg_internal.h"
#include "ops/scratch_internal.h"

namespace espalier {
namespace {

/// The factor of one matrix; returns the number of the pivot that is not positive, counted from 1, or 0.
template <class T>
int factorise(T* l, const T* a, int64_t n) {
  std::copy_n(a, n * n, l);
  const int size = static_cast<int>(n);
  int info = 0;
  // The lower triangle of row-major memory is the upper one of what LAPACK sees, and so is the factor's.
  lapack::Routines<T>::potrf("U", &size, l, &size, &info, 1);
  if (info > 0) return info;
  for (int64_t i = 0; i < n; ++i) {
    if (!(l[i * n + i] > 0)) return static_cast<int>(i) + 1;  // not every implementation sees a NaN
    std::fill(l + i * n + i + 1, l + (i + 1) * n, T(0));
  }
  return 0;
}

}  // namespace

void cholesky_cpu(const Cholesky& operation, Inputs inputs, Outputs outputs) {
  const int64_t n = inputs[0].size(-1);
  if (outputs[0].numel() == 0) return;
  const Tensor source = row_major(inputs[0]);
  visit_matrix_type(source.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const auto* a = static_cast<const T*>(source.raw_data());
    auto* l = static_cast<T*>(outputs[0].raw_data());
    const double size = static_cast<double>(n);
    const auto [matrix, pivot] =
        for_each_matrix(batch_size(source.shape()), size * size * size / 6,
                        [&](int64_t i) { return factorise(l + i * n * n, a + i * n * n, n); });
    if (pivot > 0) {
      throw_for_matrix(operation.name(), inputs, matrix,
                       "is not positive definite: pivot " + std::to_string(pivot - 1) +
                           ", counted from 0, is not positive");
    }
  });
}

}  // namespace espalier
