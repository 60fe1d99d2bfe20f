#include <algorithm>

#include "core/plane_transpose_internal.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/plane_transpose.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"  // before highway.h
#include "hwy/highway.h"
#include "core/transpose-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using Words = hn::ScalableTag<uint32_t>;

/// The plain loop, from row `first` on.
HWY_INLINE void transpose_rest(uint32_t* to, int64_t to_row, const uint32_t* from, int64_t from_row,
                               int64_t first, int64_t rows, int64_t columns) {
  for (int64_t i = first; i < rows; ++i) {
    for (int64_t j = 0; j < columns; ++j) to[i * to_row + j] = from[i + j * from_row];
  }
}

/// 2 to 4 lines of `length` elements, `row` apart, become one of groups of `kLines`: the colours of a
/// channels-last image.
template <int kLines>
HWY_INLINE void interleave(uint32_t* to, const uint32_t* from, int64_t row, int64_t length) {
  const Words d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = 0;
  for (; i + lanes <= length; i += lanes) {
    const auto line = [&](int64_t j) HWY_ATTR { return hn::LoadU(d, from + j * row + i); };
    if constexpr (kLines == 2) hn::StoreInterleaved2(line(0), line(1), d, to + 2 * i);
    if constexpr (kLines == 3) hn::StoreInterleaved3(line(0), line(1), line(2), d, to + 3 * i);
    if constexpr (kLines == 4) hn::StoreInterleaved4(line(0), line(1), line(2), line(3), d, to + 4 * i);
  }
  transpose_rest(to, kLines, from, row, i, length, kLines);
}

/// The other way round.
template <int kLines>
HWY_INLINE void take_apart(uint32_t* to, int64_t row, const uint32_t* from, int64_t length) {
  const Words d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = 0;
  for (; i + lanes <= length; i += lanes) {
    hn::Vec<Words> lines[4];
    if constexpr (kLines == 2) hn::LoadInterleaved2(d, from + 2 * i, lines[0], lines[1]);
    if constexpr (kLines == 3) hn::LoadInterleaved3(d, from + 3 * i, lines[0], lines[1], lines[2]);
    if constexpr (kLines == 4) hn::LoadInterleaved4(d, from + 4 * i, lines[0], lines[1], lines[2], lines[3]);
    for (int j = 0; j < kLines; ++j) hn::StoreU(lines[j], d, to + j * row + i);
  }
  for (; i < length; ++i) {
    for (int64_t j = 0; j < kLines; ++j) to[j * row + i] = from[i * kLines + j];
  }
}

constexpr int64_t kBlockRows = 16;  // a cache line of the source

/// At most so many rows.
HWY_INLINE void transpose_rows(uint32_t* to, int64_t to_row, const uint32_t* from, int64_t from_row,
                               int64_t rows, int64_t columns) {
  const int64_t whole_rows = rows / 4 * 4, whole_columns = columns / 4 * 4;
  for (int64_t j = 0; j < whole_columns; j += 4) {
    for (int64_t i = 0; i < whole_rows; i += 4)
      transpose_4x4(from + j * from_row + i, from_row, to + i * to_row + j, to_row);
  }
  const int64_t rest = whole_columns;
  transpose_rest(to + rest, to_row, from + rest * from_row, from_row, 0, whole_rows, columns - rest);
  transpose_rest(to, to_row, from, from_row, whole_rows, rows, columns);
}

/// The same where the rows lie so far apart that lines of them do not outlive each other in the cache: from
/// blocks beside it, whole lines are written.
HWY_INLINE void transpose_distant_rows(uint32_t* to, int64_t to_row, const uint32_t* from, int64_t from_row,
                                       int64_t rows, int64_t columns) {
  constexpr int64_t kColumns = 64;
  alignas(64) uint32_t block[kBlockRows * kColumns];
  for (int64_t j = 0; j < columns; j += kColumns) {
    const int64_t width = std::min(kColumns, columns - j);
    transpose_rows(block, kColumns, from + j * from_row, from_row, rows, width);
    for (int64_t i = 0; i < rows; ++i) std::copy_n(block + i * kColumns, width, to + i * to_row + j);
  }
}

void transpose_blocks(uint32_t* to, int64_t to_row, const uint32_t* from, int64_t from_row, int64_t rows,
                      int64_t columns) {
  // Half a page: with it between them, 16 lines share two sets of a first-level cache, of 8 ways or 12.
  // Planes of 32 x 32 pixels, 16 channels and more, take 3 times as long without the blocks; others half
  // again as long with them.
  constexpr int64_t kSameSets = 512;
  const auto transpose = to_row % kSameSets == 0 ? transpose_distant_rows : transpose_rows;
  for (int64_t i = 0; i < rows; i += kBlockRows)
    transpose(to + i * to_row, to_row, from + i, from_row, std::min(kBlockRows, rows - i), columns);
}

void transpose_words(uint32_t* to, int64_t to_row, const uint32_t* from, int64_t from_row, int64_t rows,
                     int64_t columns) {
  if (to_row == columns) {
    if (columns == 2) return interleave<2>(to, from, from_row, rows);
    if (columns == 3) return interleave<3>(to, from, from_row, rows);
    if (columns == 4) return interleave<4>(to, from, from_row, rows);
  }
  if (from_row == rows) {
    if (rows == 2) return take_apart<2>(to, to_row, from, columns);
    if (rows == 3) return take_apart<3>(to, to_row, from, columns);
    if (rows == 4) return take_apart<4>(to, to_row, from, columns);
  }
  transpose_blocks(to, to_row, from, from_row, rows, columns);
}

}  // namespace
}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier {
namespace {

HWY_EXPORT(transpose_words);

}  // namespace

void transpose_plane_of_words(uint32_t* to, int64_t to_row, const uint32_t* from, int64_t from_row,
                              int64_t rows, int64_t columns) {
  ESPALIER_DISPATCH(transpose_words)(to, to_row, from, from_row, rows, columns);
}

}  // namespace espalier
#endif
