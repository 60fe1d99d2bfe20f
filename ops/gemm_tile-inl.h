// The register tile of matrix products, compiled once per instruction set: include it inside a file set up as
// core/highway_internal.h says, after "hwy/highway.h".

#if defined(ESPALIER_GEMM_TILE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ESPALIER_GEMM_TILE_INL_H_
#undef ESPALIER_GEMM_TILE_INL_H_
#else
#define ESPALIER_GEMM_TILE_INL_H_
#endif

#include <cstddef>
#include <cstdint>
#include <utility>

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {
namespace {

/// What a tile multiplies: rows of A, which are read by broadcast, so that any strides do, and a stretch of
/// columns of B, whose rows are contiguous.
template <class T>
struct TileOperands {
  const T* a;
  int64_t a_row, a_step;  // from row to row of A, from k to k
  const T* b;
  int64_t b_step;
  int64_t k;
};

/// A product of kRows rows, kVectors vectors wide, that stays in registers while k runs: sums begin with
/// `start(i, j)` and end in `store(i, j, sum)`, of row i and vector j.
template <class T, int kRows, int kVectors, class Start, class Store>
HWY_INLINE void multiply_tile(const TileOperands<T>& t, const Start& start, const Store& store) {
  namespace hn = hwy::HWY_NAMESPACE;
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  constexpr int64_t kWidth = hn::MaxLanes(hn::ScalableTag<T>());
  V sum[kRows][kVectors];
  for (int i = 0; i < kRows; ++i) {
    for (int j = 0; j < kVectors; ++j) sum[i][j] = start(i, j);
  }
  const T* a = t.a;
  const T* b = t.b;
  for (int64_t k = 0; k < t.k; ++k, a += t.a_step, b += t.b_step) {
    V row[kVectors];
    for (int j = 0; j < kVectors; ++j) row[j] = hn::LoadU(d, b + j * kWidth);
    for (int i = 0; i < kRows; ++i) {
      const V x = hn::Set(d, a[i * t.a_row]);
      for (int j = 0; j < kVectors; ++j) sum[i][j] = hn::MulAdd(x, row[j], sum[i][j]);
    }
  }
  for (int i = 0; i < kRows; ++i) {
    for (int j = 0; j < kVectors; ++j) store(i, j, sum[i][j]);
  }
}

/// A few rows of C += A B or, unless `add`, C = A B.
struct GemmTile {
  TileOperands<float> operands;
  float* c;
  int64_t c_row;
  bool add;
};

template <int kRows, int kVectors, bool kAdd>
void multiply_gemm_tile(const GemmTile& t) {
  namespace hn = hwy::HWY_NAMESPACE;
  const hn::ScalableTag<float> d;
  using V = hn::Vec<decltype(d)>;
  constexpr int64_t kWidth = hn::MaxLanes(hn::ScalableTag<float>());
  multiply_tile<float, kRows, kVectors>(
      t.operands,
      [&](int i, int j)
          HWY_ATTR { return kAdd ? hn::LoadU(d, t.c + i * t.c_row + j * kWidth) : hn::Zero(d); },
      [&](int i, int j, V sum) HWY_ATTR { hn::StoreU(sum, d, t.c + i * t.c_row + j * kWidth); });
}

/// Rows that keep the multiply-add busy and fit in the registers: of the 32 that AVX-512 has, 12 x 2 sums,
/// two vectors of B and one value of A; of 16, 6 x 2.
constexpr int kGemmTileRows = HWY_TARGET <= HWY_AVX3 ? 12 : 6;

using GemmTileFunction = void (*)(const GemmTile&);

template <int kVectors, size_t... kIndex>
GemmTileFunction gemm_tile_of(int64_t rows, bool add, std::index_sequence<kIndex...>) {
  static constexpr GemmTileFunction kTiles[2][sizeof...(kIndex)] = {
      {multiply_gemm_tile<int(kIndex) + 1, kVectors, false>...},
      {multiply_gemm_tile<int(kIndex) + 1, kVectors, true>...}};
  return kTiles[add][rows - 1];
}

/// Rows [0, rows) of a product whose C is `columns` wide, a multiple of the vector's width; `t` describes the
/// corner. Tiles are of nearly equal height: 14 rows as 7 + 7 keep more sums in flight than 12 + 2.
HWY_INLINE void multiply_panel(GemmTile t, int64_t rows, int64_t columns) {
  constexpr int64_t kWidth = hwy::HWY_NAMESPACE::MaxLanes(hwy::HWY_NAMESPACE::ScalableTag<float>());
  constexpr auto kHeights = std::make_index_sequence<kGemmTileRows>();
  const int64_t tiles = (rows + kGemmTileRows - 1) / kGemmTileRows;
  const float* const a = t.operands.a;
  float* const c = t.c;
  for (int64_t j = 0; j < columns;) {
    const bool pair = columns - j >= 2 * kWidth;
    for (int64_t tile = 0, i = 0; tile < tiles; ++tile) {
      const int64_t height = (rows - i + (tiles - tile) - 1) / (tiles - tile);
      t.operands.a = a + i * t.operands.a_row;
      t.c = c + i * t.c_row + j;
      (pair ? gemm_tile_of<2>(height, t.add, kHeights) : gemm_tile_of<1>(height, t.add, kHeights))(t);
      i += height;
    }
    const int64_t done = pair ? 2 * kWidth : kWidth;
    t.operands.b += done;
    j += done;
  }
}

}  // namespace
}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
