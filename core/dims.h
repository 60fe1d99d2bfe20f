#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "core/export.h"

namespace espalier {

/// The largest number of axes a tensor may have.
inline constexpr int kMaxRank = 8;

/// A short list of sizes, strides or axes that lives on the stack: at most kMaxRank entries.
class ESPALIER_API Dims {
 public:
  Dims() = default;
  /// Throws ShapeError for more than kMaxRank entries.
  Dims(std::initializer_list<int64_t> values) : Dims(std::span(values.begin(), values.size())) {}
  explicit Dims(std::span<const int64_t> values);
  /// `rank` entries of `value`.
  static Dims filled(int rank, int64_t value);

  int rank() const noexcept { return rank_; }
  bool empty() const noexcept { return rank_ == 0; }
  int64_t operator[](int i) const noexcept { return values_[static_cast<size_t>(i)]; }
  int64_t& operator[](int i) noexcept { return values_[static_cast<size_t>(i)]; }
  int64_t back() const noexcept { return (*this)[rank_ - 1]; }
  const int64_t* begin() const noexcept { return values_.data(); }
  const int64_t* end() const noexcept { return values_.data() + rank_; }
  int64_t* begin() noexcept { return values_.data(); }
  int64_t* end() noexcept { return values_.data() + rank_; }
  operator std::span<const int64_t>() const noexcept { return {begin(), end()}; }

  /// Throws ShapeError past kMaxRank.
  void push_back(int64_t value);
  /// Inserts before entry `at`; throws ShapeError past kMaxRank.
  void insert(int at, int64_t value);
  void erase(int at) noexcept;

  friend bool operator==(const Dims& a, const Dims& b) noexcept {
    return a.rank_ == b.rank_ && std::equal(a.begin(), a.end(), b.begin());
  }

 private:
  std::array<int64_t, kMaxRank> values_;  // entries past rank_ are indeterminate: they are never read
  int rank_ = 0;
};

/// Sizes of the axes; an empty shape is a scalar.
using Shape = Dims;
/// Distances between neighbours along each axis, in elements.
using Strides = Dims;

/// `[2, 3, 4]`.
ESPALIER_API std::string to_string(const Dims& dims);

/// The product of the sizes, for shapes already known to be valid.
inline int64_t count(const Shape& shape) noexcept {
  uint64_t n = 1;  // sizes before a zero may be too large for any product but this one
  for (int64_t size : shape) n *= static_cast<uint64_t>(size);
  return static_cast<int64_t>(n);
}

/// The product of the sizes. Throws ShapeError, on behalf of `where`, for a negative size or a product (or a
/// size in bytes of up to 16 an element) beyond 63 bits.
ESPALIER_API int64_t checked_count(const Shape& shape, std::string_view where);

/// Strides of a dense tensor whose last axis is innermost.
ESPALIER_API Strides contiguous_strides(const Shape& shape) noexcept;

/// Strides of a dense tensor of rank 4 (N, C, H, W) that lies in memory as N, H, W, C.
ESPALIER_API Strides channels_last_strides(const Shape& shape) noexcept;

/// Strides of a dense tensor of `shape` whose axes nest in memory as those of a tensor of the same rank with
/// shape `model` and `strides` do, so that channels-last stays channels-last under another size. Row-major
/// for a model that repeats elements (stride 0).
ESPALIER_API Strides strides_nested_like(const Shape& shape, const Shape& model,
                                         const Strides& strides) noexcept;

/// Whether elements lie densely, last axis innermost. Axes of size 1 and empty tensors do not count.
ESPALIER_API bool is_contiguous(const Shape& shape, const Strides& strides) noexcept;

/// Whether the elements fill a block of memory without gap or overlap, the axes in any order.
ESPALIER_API bool is_dense(const Shape& shape, const Strides& strides) noexcept;

/// `axis` with negative values counted from the end. Throws ShapeError, on behalf of `where`, outside [-rank,
/// rank).
ESPALIER_API int normalize_axis(int64_t axis, int rank, std::string_view where);

/// The shape to which NumPy's rules broadcast both. Throws ShapeError, on behalf of `where`, where they do
/// not agree.
ESPALIER_API Shape broadcast_shapes(const Shape& a, const Shape& b, std::string_view where);

/// The strides with which a tensor is read as if it had `target`'s shape: 0 along broadcast axes. `shape`
/// must broadcast to `target`.
ESPALIER_API Strides broadcast_strides(const Shape& shape, const Strides& strides,
                                       const Shape& target) noexcept;

}  // namespace espalier
