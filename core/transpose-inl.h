// Transposing small blocks of elements of 4 bytes, compiled once per instruction set: include it inside a
// file set up as core/highway_internal.h says, after "hwy/highway.h".

#if defined(ESPALIER_TRANSPOSE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ESPALIER_TRANSPOSE_INL_H_
#undef ESPALIER_TRANSPOSE_INL_H_
#else
#define ESPALIER_TRANSPOSE_INL_H_
#endif

#include <cstdint>

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {
namespace {

/// Four rows of four, `from_row` apart, become columns of rows that are `to_row` apart.
template <class T>
HWY_INLINE void transpose_4x4(const T* from, int64_t from_row, T* to, int64_t to_row) {
  static_assert(sizeof(T) == 4);
  namespace hn = hwy::HWY_NAMESPACE;
  const hn::FixedTag<T, 4> d;
  const auto r0 = hn::LoadU(d, from), r1 = hn::LoadU(d, from + from_row);
  const auto r2 = hn::LoadU(d, from + 2 * from_row), r3 = hn::LoadU(d, from + 3 * from_row);
  const auto low02 = hn::InterleaveLower(d, r0, r2), low13 = hn::InterleaveLower(d, r1, r3);
  const auto high02 = hn::InterleaveUpper(d, r0, r2), high13 = hn::InterleaveUpper(d, r1, r3);
  hn::StoreU(hn::InterleaveLower(d, low02, low13), d, to);
  hn::StoreU(hn::InterleaveUpper(d, low02, low13), d, to + to_row);
  hn::StoreU(hn::InterleaveLower(d, high02, high13), d, to + 2 * to_row);
  hn::StoreU(hn::InterleaveUpper(d, high02, high13), d, to + 3 * to_row);
}

}  // namespace
}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
