#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/error.h"
#include "core/tensor.h"
#include "ops/loss_internal.h"

namespace espalier {

/// Throws TypeError unless `indices` is of type i32 or i64.
inline void check_index_type(std::string_view name, const Tensor& indices) {
  if (indices.dtype() == Dtype::i32 || indices.dtype() == Dtype::i64) return;
  throw TypeError(name, "class indices are " + describe(indices) + "; expected i32 or i64");
}

/// Row-major class indices of type i32 or i64, for reading by a kernel; perhaps with one that stands for "no
/// class".
class ClassIndices {
 public:
  /// Throws ValueError, with its position, for the first index outside [0, classes).
  ClassIndices(std::string_view name, const Tensor& indices, int64_t classes,
               std::optional<int64_t> none = {})
      : data_(indices.raw_data()), wide_(indices.dtype() == Dtype::i64) {
    for (int64_t i = 0; i < indices.numel(); ++i) {
      const int64_t index = (*this)[i];
      if ((index < 0 || index >= classes) && index != none) out_of_range(name, indices, i, classes);
    }
  }
  int64_t operator[](int64_t i) const noexcept {
    return wide_ ? static_cast<const int64_t*>(data_)[i] : static_cast<const int32_t*>(data_)[i];
  }

 private:
  [[noreturn]] void out_of_range(std::string_view name, const Tensor& indices, int64_t at,
                                 int64_t classes) const {
    throw ValueError(name, "class index " + std::to_string((*this)[at]) + " at position " +
                               to_string(position_of(at, indices.shape())) + " of " + describe(indices) +
                               " is outside [0, " + std::to_string(classes) + ")");
  }

  const void* data_;
  bool wide_;
};

}  // namespace espalier
