#include <algorithm>
#include <cmath>
#include <vector>

#include "ops/lapack_internal.h"
#include "ops/linalg_internal.h"
#include "ops/scratch_internal.h"
#include "ops/svd.h"

namespace espalier {
namespace {

enum Wrong { kNone, kNotFinite, kNotConverged };

/// For LAPACK memory holds A^T = V S U^T: what it calls U is V, and its V^T is U^T, each transposed again in
/// row-major memory.
template <class T>
int decompose(T* u, T* s, T* vt, const T* a, int64_t m, int64_t n) {
  if (!std::all_of(a, a + m * n, [](T x) { return std::isfinite(x); })) return kNotFinite;
  const int64_t k = std::min(m, n);
  const int rows = static_cast<int>(n), columns = static_cast<int>(m), rank = static_cast<int>(k);
  std::vector<T> matrix(a, a + m * n);
  std::vector<int> integers(static_cast<size_t>(8 * k));
  int info = 0;
  const auto run = [&](T* work, const int* length) {
    lapack::Routines<T>::gesdd("S", &rows, &columns, matrix.data(), &rows, s, vt, &rows, u, &rank, work,
                               length, integers.data(), &info, 1);
  };
  lapack::Workspace<T> work(run);
  run(work.data(), work.length());
  return info == 0 ? kNone : kNotConverged;
}

}  // namespace

void svd_cpu(const Svd& operation, Inputs inputs, Outputs outputs) {
  if (inputs[0].numel() == 0) return;
  const int64_t m = inputs[0].size(-2), n = inputs[0].size(-1), k = std::min(m, n);
  const Tensor source = row_major(inputs[0]);
  visit_matrix_type(source.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const auto* a = static_cast<const T*>(source.raw_data());
    auto *u = static_cast<T*>(outputs[0].raw_data()), *s = static_cast<T*>(outputs[1].raw_data()),
         *vt = static_cast<T*>(outputs[2].raw_data());
    const double work = 10 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
    const auto [matrix, wrong] = for_each_matrix(batch_size(source.shape()), work, [&](int64_t i) {
      return decompose(u + i * m * k, s + i * k, vt + i * k * n, a + i * m * n, m, n);
    });
    if (wrong == kNotFinite)
      throw_for_matrix(operation.name(), inputs, matrix, "has elements that are not finite");
    if (wrong == kNotConverged) throw_for_matrix(operation.name(), inputs, matrix, "did not converge");
  });
}

}  // namespace espalier
