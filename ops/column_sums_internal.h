#pragma once

#include <cstdint>

namespace espalier {

/// sums[j] = the sum over i of x[i * row_stride + j], for all columns j; on several threads where that pays,
/// with the same bits for any number of them.
void column_sums(const float* x, int64_t rows, int64_t columns, int64_t row_stride, float* sums);
void column_sums(const double* x, int64_t rows, int64_t columns, int64_t row_stride, double* sums);

}  // namespace espalier
