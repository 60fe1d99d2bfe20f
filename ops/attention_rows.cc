#include <algorithm>
#include <cmath>
#include <limits>

#include "ops/attention_rows_internal.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/attention_rows.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "core/transpose-inl.h"
#include "ops/vector_math-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {
namespace {

template <class T>
using D = hn::ScalableTag<T>;
template <class T>
using V = hn::Vec<D<T>>;

// The rows of a tile are whole vectors long (kAttentionKeys is a multiple of every vector's lanes), so loads
// and stores past the last column stay inside; those lanes are masked.

template <class T>
HWY_INLINE T largest(const T* x, int64_t n, T scale) {
  const D<T> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto factor = hn::Set(d, scale);
  const auto lowest = hn::Set(d, -std::numeric_limits<T>::infinity());
  auto top = lowest;
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) top = hn::Max(top, hn::Mul(hn::Load(d, x + i), factor));
  if (i < n) {
    const auto rest = hn::FirstN(d, static_cast<size_t>(n - i));
    top = hn::Max(top, hn::IfThenElse(rest, hn::Mul(hn::Load(d, x + i), factor), lowest));
  }
  return hn::GetLane(hn::MaxOfLanes(d, top));
}

/// x = exp(scale x - shift) for the first n, 0 up to `columns`; returns the sum.
template <class T>
HWY_INLINE T exponentials(T* x, int64_t n, int64_t columns, T scale, T shift) {
  const D<T> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto factor = hn::Set(d, scale), offset = hn::Set(d, shift);
  auto sum = hn::Zero(d);
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const auto e = vector_exp(d, hn::MulSub(hn::Load(d, x + i), factor, offset));
    sum = hn::Add(sum, e);
    hn::Store(e, d, x + i);
  }
  if (i < n) {
    const auto rest = hn::FirstN(d, static_cast<size_t>(n - i));
    const auto e = hn::IfThenElseZero(rest, vector_exp(d, hn::MulSub(hn::Load(d, x + i), factor, offset)));
    sum = hn::Add(sum, e);
    hn::Store(e, d, x + i);
    i += lanes;
  }
  for (; i < columns; i += lanes) hn::Store(hn::Zero(d), d, x + i);
  return hn::GetLane(hn::SumOfLanes(d, sum));
}

template <class T>
HWY_INLINE void multiply(T* x, int64_t n, T scale) {
  const D<T> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto factor = hn::Set(d, scale);
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(hn::Mul(hn::LoadU(d, x + i), factor), d, x + i);
  for (; i < n; ++i) x[i] *= scale;
}

template <class T>
HWY_INLINE void mask(AttentionTile<T>& tile, const T* added, int64_t row) {
  const D<T> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto factor = hn::Set(d, tile.scale);
  for (int64_t i = 0; i < tile.rows; ++i, added += row) {
    T* scores = tile.scores + i * tile.kStride;
    int64_t j = 0;
    for (; j + lanes <= tile.columns; j += lanes) {
      hn::Store(hn::MulAdd(hn::Load(d, scores + j), factor, hn::LoadU(d, added + j)), d, scores + j);
    }
    for (; j < tile.columns; ++j) scores[j] = scores[j] * tile.scale + added[j];
  }
  tile.scale = 1;
}

template <class T>
inline constexpr T kNothing = -std::numeric_limits<T>::infinity();

template <class T>
HWY_INLINE void weights(const AttentionTile<T>& tile, const AttentionState<T>& state, bool first) {
  for (int64_t i = 0; i < tile.rows; ++i) {
    T* scores = tile.scores + i * tile.kStride;
    const int64_t n = tile.visible(i);
    if (n == 0 && !first) {
      std::fill_n(scores, tile.columns, T{0});
      continue;
    }
    const T found = largest(scores, n, tile.scale);
    const T top = first || found > state.top[i] ? found : state.top[i];
    // Where nothing was seen yet, every exponential is that of minus infinity.
    const T shift = top == kNothing<T> ? T{0} : top;
    const T added = exponentials(scores, n, tile.columns, tile.scale, shift);
    if (first) {
      state.sum[i] = added;
    } else {
      const T shrink = std::exp(state.top[i] - shift);
      state.sum[i] = state.sum[i] * shrink + added;
      if (shrink != T{1}) multiply(state.y + i * state.y_row, state.width, shrink);
    }
    state.top[i] = top;
  }
}

template <class T>
HWY_INLINE void finish(const AttentionState<T>& state, int64_t rows, T* log_sum) {
  for (int64_t i = 0; i < rows; ++i) {
    T* y = state.y + i * state.y_row;
    if (state.top[i] == kNothing<T>) {
      std::fill_n(y, state.width, T{0});
      log_sum[i] = kNothing<T>;
      continue;
    }
    multiply(y, state.width, 1 / state.sum[i]);
    log_sum[i] = state.top[i] + std::log(state.sum[i]);
  }
}

template <class T>
HWY_INLINE void gradients(const AttentionTile<T>& tile, const T* log_sum, const T* delta, T slope, T* dp) {
  const D<T> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto factor = hn::Set(d, tile.scale), steepness = hn::Set(d, slope);
  for (int64_t i = 0; i < tile.rows; ++i) {
    T* p = tile.scores + i * tile.kStride;
    T* ds = dp + i * tile.kStride;
    const int64_t n = tile.visible(i);
    const auto offset = hn::Set(d, log_sum[i] == kNothing<T> ? T{0} : log_sum[i]),
               middle = hn::Set(d, delta[i]);
    for (int64_t j = 0; j < tile.columns; j += lanes) {
      const auto seen = hn::FirstN(d, static_cast<size_t>(std::clamp<int64_t>(n - j, 0, lanes)));
      const auto e = hn::IfThenElseZero(seen, vector_exp(d, hn::MulSub(hn::Load(d, p + j), factor, offset)));
      const auto change = hn::Mul(hn::Mul(e, steepness), hn::Sub(hn::Load(d, ds + j), middle));
      hn::Store(e, d, p + j);
      hn::Store(hn::IfThenElseZero(seen, change), d, ds + j);
    }
  }
}

/// Blocks of 4 x 4 go through registers.
HWY_INLINE void transpose(const float* from, int64_t row, int64_t rows, int64_t columns, float* to) {
  constexpr int64_t kRow = kAttentionKeys;
  const int64_t whole_rows = rows / 4 * 4, whole_columns = columns / 4 * 4;
  for (int64_t i = 0; i < whole_rows; i += 4) {
    for (int64_t j = 0; j < whole_columns; j += 4)
      transpose_4x4(from + i * row + j, row, to + j * kRow + i, kRow);
  }
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = i < whole_rows ? whole_columns : 0; j < columns; ++j)
      to[j * kRow + i] = from[i * row + j];
  }
}

template <class T>
HWY_INLINE void row_dots(const T* a, int64_t a_row, const T* b, int64_t b_row, int64_t rows, int64_t width,
                         T* dots) {
  const D<T> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t i = 0; i < rows; ++i, a += a_row, b += b_row) {
    auto sum = hn::Zero(d);
    int64_t j = 0;
    for (; j + lanes <= width; j += lanes) sum = hn::MulAdd(hn::LoadU(d, a + j), hn::LoadU(d, b + j), sum);
    T total = hn::GetLane(hn::SumOfLanes(d, sum));
    for (; j < width; ++j) total += a[j] * b[j];
    dots[i] = total;
  }
}

}  // namespace

void weights_f32(const AttentionTile<float>& tile, const AttentionState<float>& state, bool first) {
  weights(tile, state, first);
}
void weights_f64(const AttentionTile<double>& tile, const AttentionState<double>& state, bool first) {
  weights(tile, state, first);
}
void mask_f32(AttentionTile<float>& tile, const float* added, int64_t row) {
  mask(tile, added, row);
}
void mask_f64(AttentionTile<double>& tile, const double* added, int64_t row) {
  mask(tile, added, row);
}
void finish_f32(const AttentionState<float>& state, int64_t rows, float* log_sum) {
  finish(state, rows, log_sum);
}
void finish_f64(const AttentionState<double>& state, int64_t rows, double* log_sum) {
  finish(state, rows, log_sum);
}
void gradients_f32(const AttentionTile<float>& tile, const float* log_sum, const float* delta, float slope,
                   float* dp) {
  gradients(tile, log_sum, delta, slope, dp);
}
void gradients_f64(const AttentionTile<double>& tile, const double* log_sum, const double* delta,
                   double slope, double* dp) {
  gradients(tile, log_sum, delta, slope, dp);
}
void transpose_f32(const float* from, int64_t row, int64_t rows, int64_t columns, float* to) {
  transpose(from, row, rows, columns, to);
}
void dots_f32(const float* a, int64_t a_row, const float* b, int64_t b_row, int64_t rows, int64_t width,
              float* dots) {
  row_dots(a, a_row, b, b_row, rows, width, dots);
}
void dots_f64(const double* a, int64_t a_row, const double* b, int64_t b_row, int64_t rows, int64_t width,
              double* dots) {
  row_dots(a, a_row, b, b_row, rows, width, dots);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier {

HWY_EXPORT(weights_f32);
HWY_EXPORT(weights_f64);
HWY_EXPORT(mask_f32);
HWY_EXPORT(finish_f32);
HWY_EXPORT(mask_f64);
HWY_EXPORT(finish_f64);
HWY_EXPORT(gradients_f32);
HWY_EXPORT(gradients_f64);
HWY_EXPORT(transpose_f32);
HWY_EXPORT(dots_f32);
HWY_EXPORT(dots_f64);

void attention_weights(const AttentionTile<float>& tile, const AttentionState<float>& state, bool first) {
  ESPALIER_DISPATCH(weights_f32)(tile, state, first);
}
void attention_weights(const AttentionTile<double>& tile, const AttentionState<double>& state, bool first) {
  ESPALIER_DISPATCH(weights_f64)(tile, state, first);
}

void attention_mask(AttentionTile<float>& tile, const float* added, int64_t row) {
  ESPALIER_DISPATCH(mask_f32)(tile, added, row);
}
void attention_mask(AttentionTile<double>& tile, const double* added, int64_t row) {
  ESPALIER_DISPATCH(mask_f64)(tile, added, row);
}

void attention_finish(const AttentionState<float>& state, int64_t rows, float* log_sum) {
  ESPALIER_DISPATCH(finish_f32)(state, rows, log_sum);
}
void attention_finish(const AttentionState<double>& state, int64_t rows, double* log_sum) {
  ESPALIER_DISPATCH(finish_f64)(state, rows, log_sum);
}

void attention_gradients(const AttentionTile<float>& tile, const float* log_sum, const float* delta,
                         float slope, float* dp) {
  ESPALIER_DISPATCH(gradients_f32)(tile, log_sum, delta, slope, dp);
}
void attention_gradients(const AttentionTile<double>& tile, const double* log_sum, const double* delta,
                         double slope, double* dp) {
  ESPALIER_DISPATCH(gradients_f64)(tile, log_sum, delta, slope, dp);
}

void attention_transpose(const float* from, int64_t row, int64_t rows, int64_t columns, float* to) {
  ESPALIER_DISPATCH(transpose_f32)(from, row, rows, columns, to);
}
void attention_transpose(const double* from, int64_t row, int64_t rows, int64_t columns, double* to) {
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < columns; ++j) to[j * kAttentionKeys + i] = from[i * row + j];
  }
}

void attention_row_dots(const float* a, int64_t a_row, const float* b, int64_t b_row, int64_t rows,
                        int64_t width, float* dots) {
  ESPALIER_DISPATCH(dots_f32)(a, a_row, b, b_row, rows, width, dots);
}
void attention_row_dots(const double* a, int64_t a_row, const double* b, int64_t b_row, int64_t rows,
                        int64_t width, double* dots) {
  ESPALIER_DISPATCH(dots_f64)(a, a_row, b, b_row, rows, width, dots);
}

}  // namespace espalier
#endif
