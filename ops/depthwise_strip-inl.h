// Strips of neighbouring results of depthwise convolutions, compiled once per instruction set: include it
// inside a file set up as core/highway_internal.h says, after "hwy/highway.h".

#if defined(ESPALIER_DEPTHWISE_STRIP_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ESPALIER_DEPTHWISE_STRIP_INL_H_
#undef ESPALIER_DEPTHWISE_STRIP_INL_H_
#else
#define ESPALIER_DEPTHWISE_STRIP_INL_H_
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "core/masked-inl.h"
#include "hwy/cache_control.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {
namespace {

using DepthwiseTag = hwy::HWY_NAMESPACE::ScalableTag<float>;
using DepthwiseVector = hwy::HWY_NAMESPACE::Vec<DepthwiseTag>;

/// Results of a strip at most: with two or three taps they fit in 16 registers.
constexpr int64_t kDepthwiseStrip = 8;

/// What the results of a strip, neighbours in a row, are computed from. Distances are in floats.
struct DepthwiseWindow {
  const float* x;         // the row under the filter's first
  int64_t x_row;          // from one row under the filter to the next
  int64_t x_width;        // floats in a row of x
  int64_t x_step;         // from what one result reads to what the next one does
  int64_t x_column;       // from tap to tap
  int64_t column;         // what the first tap of the first result reads; it may lie outside the row
  int64_t new_rows;       // of x, which the row of results behind this one will be the first to read
  int64_t first_new;      // from x to the first of them
  int64_t rows, columns;  // of taps

  bool inside(int64_t at) const { return at >= 0 && at < x_width; }
  void move_on(int64_t results) { column += results * x_step; }
};

/// Keeps what was loaded in a register. GCC would read memory anew in each multiply-add that uses it, and the
/// first-level cache gives no more than one vector of AVX-512 in a cycle: 75 in place of 110 GFLOP/s (one
/// core of an EPYC 9004, 3 x 3, images in its first-level cache).
HWY_INLINE DepthwiseVector keep_loaded(DepthwiseVector v) {
#if HWY_ARCH_X86
  auto raw = v.raw;
  asm("" : "+v"(raw));  // NOLINT(hicpp-no-assembler)
  v.raw = raw;
#endif
  return v;
}

constexpr auto kDepthwiseLanes = static_cast<int64_t>(hwy::HWY_NAMESPACE::MaxLanes(DepthwiseTag()));

/// Reads and writes all lanes of a vector.
struct WholeVector {
  HWY_INLINE DepthwiseVector load(const float* p) const {
    return hwy::HWY_NAMESPACE::LoadU(DepthwiseTag(), p);
  }
  HWY_INLINE void store(DepthwiseVector v, float* p) const {
    hwy::HWY_NAMESPACE::StoreU(v, DepthwiseTag(), p);
  }
};
/// Reads and writes the first lanes.
struct PartialVector {
  hwy::HWY_NAMESPACE::Mask<DepthwiseTag> first;

  explicit PartialVector(int64_t lanes)
      : first(hwy::HWY_NAMESPACE::FirstN(DepthwiseTag(), static_cast<size_t>(lanes))) {}
  HWY_INLINE DepthwiseVector load(const float* p) const { return load_first(first, DepthwiseTag(), p); }
  HWY_INLINE void store(DepthwiseVector v, float* p) const { store_first(v, first, DepthwiseTag(), p); }
};

// What meets in a strip: a vector for each of its results and one for each of some neighbouring taps.
// Convolutions add to the results, gradients of filters to the taps.

template <bool kGradient>
HWY_INLINE void multiply_add(DepthwiseVector pixel, DepthwiseVector& result, DepthwiseVector& tap) {
  if constexpr (kGradient)
    tap = hwy::HWY_NAMESPACE::MulAdd(pixel, result, tap);
  else
    result = hwy::HWY_NAMESPACE::MulAdd(pixel, tap, result);
}

/// `kTaps` neighbouring taps of a row meet all results, which are a tap apart and so share what is loaded.
/// `kEdge`: some of it may lie outside.
template <bool kGradient, int kResults, int kTaps, bool kEdge, class Lanes>
HWY_INLINE void meet_shared(const DepthwiseWindow& w, const float* x, int64_t at, const Lanes& lanes,
                            DepthwiseVector* results, DepthwiseVector* taps) {
#pragma GCC unroll 16
  for (int column = 0; column < kResults - 1 + kTaps; ++column, at += w.x_column) {
    if (kEdge && !w.inside(at)) continue;
    const DepthwiseVector pixel = keep_loaded(lanes.load(x + at));
#pragma GCC unroll 16
    for (int r = 0; r < kResults; ++r) {
      const int t = column - r;
      if (t >= 0 && t < kTaps) multiply_add<kGradient>(pixel, results[r], taps[t]);
    }
  }
}

/// One tap, and nothing to share.
template <bool kGradient, int kResults, bool kEdge, class Lanes>
HWY_INLINE void meet_alone(const DepthwiseWindow& w, const float* x, int64_t at, const Lanes& lanes,
                           DepthwiseVector* results, DepthwiseVector& tap) {
#pragma GCC unroll 16
  for (int r = 0; r < kResults; ++r, at += w.x_step) {
    if (!kEdge || w.inside(at)) multiply_add<kGradient>(lanes.load(x + at), results[r], tap);
  }
}

template <bool kWhole, class Lanes>
HWY_INLINE auto taps_as(const Lanes& lanes) {
  if constexpr (kWhole)
    return WholeVector();
  else
    return lanes;
}

/// All taps of a row; `kShared`: results are a tap apart. Gradients are stored, in whole vectors always.
template <bool kGradient, int kResults, bool kShared, bool kEdge, class Float, class Lanes>
HWY_INLINE void meet_row(const DepthwiseWindow& w, const float* x, Float* filter, int64_t filter_column,
                         const Lanes& lanes, DepthwiseVector* results) {
  const auto of_taps = taps_as<kGradient>(lanes);
  int64_t at = w.column, left = w.columns;
  const auto move = [&](int64_t taps) {
    at += taps * w.x_column;
    filter += taps * filter_column;
  };
  if constexpr (kShared) {
    for (; left == 3 || left > 4; left -= 3) {
      DepthwiseVector taps[3] = {of_taps.load(filter), of_taps.load(filter + filter_column),
                                 of_taps.load(filter + 2 * filter_column)};
      meet_shared<kGradient, kResults, 3, kEdge>(w, x, at, lanes, results, taps);
      if constexpr (kGradient) {
        for (int t = 0; t < 3; ++t) of_taps.store(taps[t], filter + t * filter_column);
      }
      move(3);
    }
    for (; left > 1; left -= 2) {
      DepthwiseVector taps[2] = {of_taps.load(filter), of_taps.load(filter + filter_column)};
      meet_shared<kGradient, kResults, 2, kEdge>(w, x, at, lanes, results, taps);
      if constexpr (kGradient) {
        for (int t = 0; t < 2; ++t) of_taps.store(taps[t], filter + t * filter_column);
      }
      move(2);
    }
  }
  for (; left > 0; --left) {
    DepthwiseVector tap = of_taps.load(filter);
    meet_alone<kGradient, kResults, kEdge>(w, x, at, lanes, results, tap);
    if constexpr (kGradient) of_taps.store(tap, filter);
    move(1);
  }
}

/// Asks for what the results below will read. The caches' own prefetching does not follow a strip from row to
/// row: without this, images from memory take up to twice as long.
template <int kResults>
HWY_INLINE void ask_for_new_rows(const DepthwiseWindow& w, const float* x) {
  x += w.first_new + w.column + w.x_column;
  for (int64_t row = 0; row < w.new_rows; ++row, x += w.x_width) {
    for (int r = 0; r < kResults; ++r) hwy::Prefetch(x + r * w.x_step);
  }
}

/// `Run<results, kShared, kEdge>::run(strip, channels)` for what a strip's window asks.
template <template <int, bool, bool> class Run, class Strip>
struct DepthwiseStripTable {
  using Function = void (*)(const Strip&, int64_t channels);

  template <bool kShared, bool kEdge, size_t... kIndex>
  static Function of(int64_t results, std::index_sequence<kIndex...>) {
    static constexpr Function kFunctions[] = {Run<static_cast<int>(kIndex) + 1, kShared, kEdge>::run...};
    return kFunctions[results - 1];
  }

  static Function of(const DepthwiseWindow& w, int64_t results) {
    constexpr auto kLengths = std::make_index_sequence<static_cast<size_t>(kDepthwiseStrip)>();
    const int64_t last = w.column + (results - 1) * w.x_step + (w.columns - 1) * w.x_column;
    const bool edge = !w.inside(w.column) || !w.inside(last);
    if (w.x_step == w.x_column)
      return edge ? of<true, true>(results, kLengths) : of<true, false>(results, kLengths);
    return edge ? of<false, true>(results, kLengths) : of<false, false>(results, kLengths);
  }
};

/// Calls `strip(results)` for strips of nearly equal length: 10 as 5 + 5 keep more sums in flight than 8 + 2.
template <class Strip>
HWY_INLINE void for_each_strip(int64_t results, const Strip& strip) {
  const int64_t strips = (results + kDepthwiseStrip - 1) / kDepthwiseStrip;
  for (int64_t i = strips, left = results; i > 0; --i) {
    const int64_t length = (left + i - 1) / i;
    strip(length);
    left -= length;
  }
}

}  // namespace
}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
