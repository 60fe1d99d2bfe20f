#pragma once

#include "ops/scratch_internal.h"

namespace espalier {

/// A matrix of a recurrent cell: rows that are contiguous, `stride` elements apart. A step of a longer
/// sequence is taken where it lies; null where there is none.
template <class T>
struct RecurrentRows {
  T* data = nullptr;
  int64_t stride = 0;

  explicit RecurrentRows(const Tensor& given) {
    if (!given.defined()) return;
    data = static_cast<T*>(given.raw_data());
    stride = given.strides()[0];
  }
  /// Of an input: copied to `work` where its rows are not contiguous.
  RecurrentRows(const Tensor& given, Workspace& work) : RecurrentRows(given) {
    if (!given.defined() || given.strides()[1] == 1 || given.shape()[1] == 1) return;
    data = row_major_as<T>(given, work);
    stride = given.shape()[1];
  }
  /// Row n; null where there is no matrix.
  T* row(int64_t n) const { return data ? data + n * stride : nullptr; }
};

}  // namespace espalier
