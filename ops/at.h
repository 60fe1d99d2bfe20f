#pragma once

#include <concepts>
#include <initializer_list>
#include <span>

#include "core/door.h"
#include "ops/slice.h"

namespace espalier {

/// Entries of at() that are neither numbers nor ranges.
enum class AtMarker : uint8_t { new_axis, ellipsis };

/// An axis as it is: NumPy's `:`.
inline constexpr Range kAll{};
/// A new axis of size 1: NumPy's `np.newaxis`.
inline constexpr AtMarker kNewAxis = AtMarker::new_axis;
/// As many whole axes as are not named otherwise: NumPy's `...`; at most once.
inline constexpr AtMarker kEllipsis = AtMarker::ellipsis;

/// One entry of what stands between NumPy's brackets: see at().
class ESPALIER_API At {
 public:
  enum class Kind : uint8_t { number, range, new_axis, ellipsis, tensor };

  template <std::integral T>
    requires(!std::same_as<T, bool>)
  At(T number)  // NOLINT(google-explicit-constructor)
      : kind_(Kind::number), range_{.start = static_cast<int64_t>(number)} {}
  At(const Range& range) : kind_(Kind::range), range_(range) {}       // NOLINT(google-explicit-constructor)
  At(const Tensor& tensor) : kind_(Kind::tensor), tensor_(tensor) {}  // NOLINT(google-explicit-constructor)
  At(AtMarker marker)                                                 // NOLINT(google-explicit-constructor)
      : kind_(marker == AtMarker::new_axis ? Kind::new_axis : Kind::ellipsis) {}

  Kind kind() const noexcept { return kind_; }
  int64_t number() const noexcept { return range_.start; }
  const Range& range() const noexcept { return range_; }
  const Tensor& tensor() const noexcept { return tensor_; }

 private:
  Kind kind_;
  Range range_;
  Tensor tensor_;
};

/// Part of `x`, as NumPy's brackets give it, entry by entry from the first axis on; axes behind the last
/// entry stay whole:
///
///     at(x, 2)                               x[2]
///     at(x, -1, kAll, Range{1, 3})           x[-1, :, 1:3]
///     at(x, kEllipsis, Range{.step = 2})     x[..., ::2]
///     at(x, kAll, kNewAxis)                  x[:, None]
///     at(x, kAll, indices)                   x[:, indices]
///     at(x, mask)                            x[mask]
///
/// Numbers (negative ones count from the end), ranges (with steps of 1 or more), kNewAxis and kEllipsis make
/// a view: `copy_(at(x, 0), y)` writes into x. One entry may be a tensor and makes a copy: indices (i32 or
/// i64, any shape, none negative) put their axes in place of the one they pick from; a bool mask takes as
/// many axes as it has, which must be of its shape, and puts one axis with what it selects in their place
/// (read on the host). Other entries are applied before the tensor, as in PyTorch, so that its axes stay
/// where it stands; for several tensors see gather().
///
/// Throws ShapeError for more entries than axes, a second ellipsis, a mask of another shape; ValueError for a
/// number or an index outside its axis, a step under 1, a second tensor; TypeError for a tensor of another
/// type.
ESPALIER_API Tensor at(const Tensor& x, std::span<const At> entries);
template <std::convertible_to<At>... Entries>
Tensor at(const Tensor& x, const Entries&... entries) {
  const std::initializer_list<At> list{At(entries)...};
  return at(x, std::span<const At>(list.begin(), list.size()));
}

}  // namespace espalier
