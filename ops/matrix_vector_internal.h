#pragma once

#include <cstddef>
#include <cstdint>

namespace espalier {

/// y = max(0, W x + bias + y), the last three where they are asked for, with W packed by pack_matrix().
struct MatrixVector {
  int64_t rows = 0, columns = 0;
  const float* packed = nullptr;
  const float* x = nullptr;
  const float* bias = nullptr;  ///< null: none
  float* y = nullptr;
  bool accumulate = false, relu = false;
};

/// Elements that a packed matrix takes.
size_t packed_matrix_size(int64_t rows, int64_t columns);

/// Packs a row-major matrix: blocks of 16 rows, column after column, the last one filled up with zeros.
void pack_matrix(const float* matrix, int64_t rows, int64_t columns, float* packed);

/// Shares the rows of large products among the threads. Each element is summed in one order, whatever their
/// number.
void matrix_vector(const MatrixVector& problem);

}  // namespace espalier
