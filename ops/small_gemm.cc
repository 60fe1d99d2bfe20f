// Products of a few thousand to a million multiplications, where oneDNN spends as long on entering and
// packing as on multiplying. A tile of up to kMaxRows x 2 vectors of C stays in registers while k runs; A is
// read by broadcast, so any strides do; B is read in place when its rows are contiguous and full, and copied
// into a zero-padded panel on the stack otherwise.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "ops/small_gemm_internal.h"

// clang-format off: the order of these includes matters
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/small_gemm.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "core/transpose-inl.h"
#include "ops/gemm_tile-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
template <class T>
using D = hn::ScalableTag<T>;
template <class T>
constexpr size_t kLanes = hn::MaxLanes(D<T>());
template <class T>
constexpr int64_t kPanel = 2 * kLanes<T>;  // columns of a tile
// 32 registers (of 64 bytes) hold 8 x 2 sums and the operands; 16 registers hold 6 x 2. (Six also hides the
// multiply-add's latency on every target.)
constexpr int64_t kMaxRows = kLanes<float> == 16 ? 8 : 6;

// Where a tile's rows of B come from and how its result is stored.
template <class T>
struct Tile {
  const T* a;
  const T* b;
  int64_t b_row;
  T* c;
  int64_t c_row;
  const T* bias;  // null, or kPanel readable values
};

template <class T, int kRows, int kVectors>
HWY_INLINE void run_tile(const GemmOf<T>& p, const Tile<T>& t) {
  const D<T> d;
  using V = hn::Vec<D<T>>;
  constexpr size_t kWidth = kLanes<T>;
  multiply_tile<T, kRows, kVectors>(
      {t.a, p.a_row, p.a_col, t.b, t.b_row, p.k},
      [&](int, int j) HWY_ATTR { return t.bias ? hn::LoadU(d, t.bias + j * kWidth) : hn::Zero(d); },
      [&](int i, int j, V x) HWY_ATTR {
        T* c = t.c + i * t.c_row + j * kWidth;
        if (p.accumulate) x = hn::Add(x, hn::LoadU(d, c));
        if (p.relu) x = hn::Max(hn::Zero(d), x);  // in this order NaN stays NaN, as relu() has it
        hn::StoreU(x, d, c);
      });
}

template <class T>
using TileFunction = void (*)(const GemmOf<T>&, const Tile<T>&);

template <class T, int kVectors, size_t... kIndex>
TileFunction<T> tile_of(int64_t rows, std::index_sequence<kIndex...>) {
  static constexpr TileFunction<T> kTiles[] = {run_tile<T, int(kIndex) + 1, kVectors>...};
  return kTiles[rows - 1];
}

// Copies columns of a transposed B by blocks of 4 x 4, which go through registers: reading down a column one
// value at a time takes longer than the product. Returns how many columns are done.
HWY_INLINE int64_t pack_blocks(const Gemm& p, const float* b, int64_t columns, int64_t width, float* packed) {
  const int64_t whole = p.b_row == 1 ? p.k / 4 * 4 : 0;
  int64_t j = 0;
  for (; whole > 0 && j + 4 <= columns; j += 4) {
    const float* from = b + j * p.b_col;
    float* to = packed + j;
    for (int64_t k = 0; k < whole; k += 4, to += 4 * width) transpose_4x4(from + k, p.b_col, to, width);
    for (int64_t k = whole; k < p.k; ++k, to += width) {
      for (int64_t q = 0; q < 4; ++q) to[q] = from[k + q * p.b_col];
    }
  }
  return j;
}

// Copies columns [0, columns) of B into rows of `width` values, zeros beyond them.
template <class T>
HWY_INLINE void pack(const GemmOf<T>& p, const T* b, int64_t columns, int64_t width, T* packed) {
  if (p.b_col == 1) {
    for (int64_t k = 0; k < p.k; ++k) {
      const T* from = b + k * p.b_row;
      T* to = packed + k * width;
      for (int64_t j = 0; j < width; ++j) to[j] = j < columns ? from[j] : T{0};
    }
    return;
  }
  int64_t j = 0;
  if constexpr (std::is_same_v<T, float>) j = pack_blocks(p, b, columns, width, packed);
  for (; j < width; ++j) {
    for (int64_t k = 0; k < p.k; ++k)
      packed[k * width + j] = j < columns ? b[k * p.b_row + j * p.b_col] : T{0};
  }
}

}  // namespace

template <class T>
void small_gemm_of(const GemmOf<T>& p) {
  constexpr int64_t kWhole = kPanel<T>, kHalf = kLanes<T>;
  alignas(64) T packed[kSmallGemmMaxDepth * kWhole];
  alignas(64) T edge[kMaxRows * kWhole];
  alignas(64) T edge_bias[kWhole];
  const int64_t tiles = (p.m + kMaxRows - 1) / kMaxRows;
  for (int64_t j = 0; j < p.n; j += kWhole) {
    const int64_t columns = std::min(p.n - j, kWhole);
    const int64_t width = columns > kHalf ? kWhole : kHalf;
    const bool partial = columns < width;
    Tile<T> t{p.a, p.b + j * p.b_col, p.b_row, nullptr, 0, p.bias ? p.bias + j : nullptr};
    if (p.b_col != 1 || (partial && !p.b_padded)) {
      pack(p, t.b, columns, width, packed);
      t.b = packed;
      t.b_row = width;
    }
    if (partial && t.bias) {
      for (int64_t q = 0; q < width; ++q) edge_bias[q] = q < columns ? t.bias[q] : T{0};
      t.bias = edge_bias;
    }
    // Tiles of nearly equal height: 10 rows as 5 + 5 keeps more sums in flight than 8 + 2.
    for (int64_t tile = 0, i = 0; tile < tiles; ++tile) {
      const int64_t rows = (p.m - i + (tiles - tile) - 1) / (tiles - tile);
      const auto run = width == kWhole ? tile_of<T, 2>(rows, std::make_index_sequence<kMaxRows>())
                                       : tile_of<T, 1>(rows, std::make_index_sequence<kMaxRows>());
      T* c = p.c + i * p.c_row + j;
      t.a = p.a + i * p.a_row;
      t.c = partial ? edge : c;
      t.c_row = partial ? width : p.c_row;
      if (partial && p.accumulate) {
        for (int64_t r = 0; r < rows; ++r) {
          for (int64_t q = 0; q < width; ++q) edge[r * width + q] = q < columns ? c[r * p.c_row + q] : T{0};
        }
      }
      run(p, t);
      if (partial) {
        for (int64_t r = 0; r < rows; ++r) std::copy_n(edge + r * width, columns, c + r * p.c_row);
      }
      i += rows;
    }
  }
}

void small_gemm_f32(const Gemm& p) {
  small_gemm_of(p);
}
void small_gemm_f64(const GemmOf<double>& p) {
  small_gemm_of(p);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier {

HWY_EXPORT(small_gemm_f32);
HWY_EXPORT(small_gemm_f64);

// Against dnnl_sgemm (oneDNN 2.6.3, best of 15, microseconds, 2 cores of an EPYC 9004, AVX-512; from 64 x 64
// x 64 on the library uses both when it can). T marks a transposed B, as in X W^T.
//   m x n x k       here  oneDNN      m x n x k       here  oneDNN
//   32 x 64 x 64 T   2.8    4.3       64 x 64 x 64 T   5.3    5.7 to 6.5
//   32 x 64 x 64     2.5    2.8       64 x 64 x 64     4.9    4.3 to 5.4
//   32 x 10 x 64 T   1.0    1.4      128 x 64 x 64     9.8    8.1 to 10.9
//   10 x 64 x 32     0.45   0.68     128 x 128 x 64   19.7   12.3 to 14.7
//   16 x 16 x 16     0.10   0.35
//    8 x 64 x 64 T   0.97   1.01       1 x 64 x 64     0.20   0.27
//    4 x 64 x 64 T   0.78   0.73       1 x 64 x 64 T   0.47   0.27
// So it wins up to some 200,000 multiply-adds, but for a few rows times a transposed B, where packing B is
// most of the work.
bool small_gemm_wins(const Gemm& p) {
  constexpr int64_t kMaxWork = 200'000;
  constexpr int64_t kMinRowsWhenPacking = 8;
  // Each bound by itself first: the product of three sizes may overflow.
  if (p.k > kSmallGemmMaxDepth || p.m > kMaxWork || p.n > kMaxWork) return false;
  if (p.k == 0) return true;
  return p.m * p.n <= kMaxWork / p.k && (p.b_col == 1 || p.m >= kMinRowsWhenPacking);
}

void small_gemm(const Gemm& p) {
  ESPALIER_DISPATCH(small_gemm_f32)(p);
}
void small_gemm(const GemmOf<double>& p) {
  ESPALIER_DISPATCH(small_gemm_f64)(p);
}

}  // namespace espalier
#endif
