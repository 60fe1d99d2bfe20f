#include <cmath>
#include <limits>
#include <vector>

#include "ops/determinant.h"
#include "ops/lapack_internal.h"
#include "ops/linalg_internal.h"
#include "ops/scratch_internal.h"

namespace espalier {
namespace {

/// Calls `take(matrix, pivots, odd)` with the pivots of each matrix, n apart by n + 1, and whether the
/// exchange of rows changes the sign; `pivots` is null for a singular matrix. Memory holds the transpose,
/// whose determinant is the same.
template <class T, class Take>
void for_each_factorisation(const Tensor& input, Take&& take) {
  const int64_t n = input.size(-1);
  const Tensor source = row_major(input);
  const auto* a = static_cast<const T*>(source.raw_data());
  const double size = static_cast<double>(n);
  for_each_matrix(batch_size(source.shape()), size * size * size / 3, [&](int64_t i) {
    std::vector<T> lu(a + i * n * n, a + (i + 1) * n * n);
    std::vector<int> exchanges(static_cast<size_t>(n));
    const int rows = static_cast<int>(n);
    int info = 0;
    if (n > 0) lapack::Routines<T>::getrf(&rows, &rows, lu.data(), &rows, exchanges.data(), &info);
    bool odd = false;
    for (int j = 0; j < rows; ++j) odd ^= exchanges[static_cast<size_t>(j)] != j + 1;
    take(i, info > 0 ? nullptr : lu.data(), odd);
    return 0;
  });
}

}  // namespace

void determinant_cpu(const Determinant&, Inputs inputs, Outputs outputs) {
  const int64_t n = inputs[0].size(-1);
  visit_matrix_type(inputs[0].dtype(), [&](auto zero) {
    using T = decltype(zero);
    auto* result = static_cast<T*>(outputs[0].raw_data());
    for_each_factorisation<T>(inputs[0], [&](int64_t i, const T* pivots, bool odd) {
      T product = !pivots && n > 0 ? 0 : odd ? -1 : 1;
      for (int64_t j = 0; pivots && j < n; ++j) product *= pivots[j * (n + 1)];
      result[i] = product;
    });
  });
}

void log_determinant_cpu(const LogDeterminant&, Inputs inputs, Outputs outputs) {
  const int64_t n = inputs[0].size(-1);
  visit_matrix_type(inputs[0].dtype(), [&](auto zero) {
    using T = decltype(zero);
    auto *sign = static_cast<T*>(outputs[0].raw_data()), *magnitude = static_cast<T*>(outputs[1].raw_data());
    for_each_factorisation<T>(inputs[0], [&](int64_t i, const T* pivots, bool odd) {
      if (!pivots && n > 0) {
        sign[i] = 0;
        magnitude[i] = -std::numeric_limits<T>::infinity();
        return;
      }
      T sum = 0;
      for (int64_t j = 0; j < n; ++j) {
        const T pivot = pivots[j * (n + 1)];
        sum += std::log(std::abs(pivot));
        odd ^= pivot < 0;
      }
      sign[i] = std::isnan(sum) ? sum : odd ? T(-1) : T(1);
      magnitude[i] = sum;
    });
  });
}

}  // namespace espalier
