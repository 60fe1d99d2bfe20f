#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "ops/eigh.h"
#include "ops/lapack_internal.h"
#include "ops/linalg_internal.h"
#include "ops/scratch_internal.h"

namespace espalier {
namespace {

enum Wrong { kNone, kNotFinite, kNotConverged };

template <class T>
int decompose(T* w, T* v, const T* a, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    if (!std::all_of(a + i * n, a + i * n + i + 1, [](T x) { return std::isfinite(x); })) return kNotFinite;
  }
  std::copy_n(a, n * n, v);
  const int size = static_cast<int>(n), integer_length = 3 + 5 * size;
  std::vector<int> integers(static_cast<size_t>(integer_length));
  int info = 0;
  // The lower triangle of row-major memory is the upper one of what LAPACK sees.
  const auto run = [&](T* work, const int* length) {
    lapack::Routines<T>::syevd("V", "U", &size, v, &size, w, work, length, integers.data(), &integer_length,
                               &info, 1, 1);
  };
  lapack::Workspace<T> work(run);
  run(work.data(), work.length());
  if (info != 0) return kNotConverged;
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < i; ++j) std::swap(v[i * n + j], v[j * n + i]);
  }
  return kNone;
}

}  // namespace

void eigh_cpu(const Eigh& operation, Inputs inputs, Outputs outputs) {
  if (inputs[0].numel() == 0) return;
  const int64_t n = inputs[0].size(-1);
  const Tensor source = row_major(inputs[0]);
  visit_matrix_type(source.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const auto* a = static_cast<const T*>(source.raw_data());
    auto *w = static_cast<T*>(outputs[0].raw_data()), *v = static_cast<T*>(outputs[1].raw_data());
    const double size = static_cast<double>(n);
    const auto [matrix, wrong] =
        for_each_matrix(batch_size(source.shape()), 5 * size * size * size,
                        [&](int64_t i) { return decompose(w + i * n, v + i * n * n, a + i * n * n, n); });
    if (wrong == kNotFinite) {
      throw_for_matrix(operation.name(), inputs, matrix,
                       "has elements in its lower triangle that are not finite");
    }
    if (wrong == kNotConverged) throw_for_matrix(operation.name(), inputs, matrix, "did not converge");
  });
}

}  // namespace espalier
