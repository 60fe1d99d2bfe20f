// The gradients of depthwise filters: each part of the rows of y has sums of its own, which stay in the
// first-level cache while its strips are added to them.

#include <algorithm>

#include "core/parallel.h"
#include "ops/depthwise_internal.h"

// clang-format off: the order of these includes matters
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/depthwise_gradient.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/depthwise_strip-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {
namespace {

/// Gradients of results, which are added to the sums of the taps.
struct DepthwiseGradientStrip {
  DepthwiseWindow window;
  float* sums;  // of the first tap
  int64_t sum_row, sum_column;
  float* bias;  // sums; null: none
  const float* dy;
  int64_t dy_step;
};

/// A vector of channels.
template <int kResults, bool kShared, bool kEdge, class Lanes>
HWY_INLINE void add_gradients(const DepthwiseGradientStrip& s, int64_t c, const Lanes& lanes) {
  namespace hn = hwy::HWY_NAMESPACE;
  DepthwiseVector gradients[kResults];
#pragma GCC unroll 16
  for (int r = 0; r < kResults; ++r) gradients[r] = lanes.load(s.dy + r * s.dy_step + c);
  const float* x = s.window.x + c;
  float* sums = s.sums + c;
  ask_for_new_rows<kResults>(s.window, x);
  for (int64_t i = 0; i < s.window.rows; ++i, x += s.window.x_row, sums += s.sum_row)
    meet_row<true, kResults, kShared, kEdge>(s.window, x, sums, s.sum_column, lanes, gradients);
  if (!s.bias) return;
  DepthwiseVector sum = gradients[0];
#pragma GCC unroll 16
  for (int r = 1; r < kResults; ++r) sum = hn::Add(sum, gradients[r]);
  const WholeVector whole;
  whole.store(hn::Add(whole.load(s.bias + c), sum), s.bias + c);
}

template <int kResults, bool kShared, bool kEdge>
struct AddGradients {
  static void run(const DepthwiseGradientStrip& s, int64_t channels) {
    int64_t c = 0;
    for (; c + kDepthwiseLanes <= channels; c += kDepthwiseLanes)
      add_gradients<kResults, kShared, kEdge>(s, c, WholeVector());
    if (c < channels) add_gradients<kResults, kShared, true>(s, c, PartialVector(channels - c));
  }
};

}  // namespace

void depthwise_add_row(const DepthwiseSizes& p, const float* x, const float* dy, int64_t image, int64_t row,
                       int64_t channel, int64_t channels, float* sums, int64_t sum_column, bool bias) {
  const int64_t all = p.channels, width = p.columns.windows(), height = p.rows.windows();
  const int64_t first = p.rows.first_tap(row), last = p.rows.last_tap(row);
  const int64_t x_row = p.columns.size * all;
  const int64_t from = (image * p.rows.size + p.rows.start(row) + first * p.rows.dilation) * x_row;
  const bool any = first < last, far = depthwise_is_far(p);
  DepthwiseGradientStrip strip{.window = {.x = any ? x + from + channel : x,
                                          .x_row = p.rows.dilation * x_row,
                                          .x_width = x_row,
                                          .x_step = p.columns.stride * all,
                                          .x_column = p.columns.dilation * all,
                                          .column = p.columns.start(0) * all,
                                          .new_rows = any && far ? std::min<int64_t>(p.rows.stride, 2) : 0,
                                          .first_new = (last - first - 1) * p.rows.dilation * x_row + x_row,
                                          .rows = any ? last - first : 0,
                                          .columns = p.columns.taps},
                               .sums = sums + (any ? first * p.columns.taps * sum_column : 0) + channel,
                               .sum_row = p.columns.taps * sum_column,
                               .sum_column = sum_column,
                               .bias = bias ? sums + p.taps() * sum_column + channel : nullptr,
                               .dy = dy + ((image * height + row) * width) * all + channel,
                               .dy_step = all};
  for_each_strip(width, [&](int64_t results) {
    DepthwiseStripTable<AddGradients, DepthwiseGradientStrip>::of(strip.window, results)(strip, channels);
    strip.window.move_on(results);
    strip.dy += results * strip.dy_step;
  });
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier {

HWY_EXPORT(depthwise_add_row);

namespace {

/// How the rows of y are divided into parts, which are summed one after the other: by sizes alone, so that
/// the bits do not depend on the number of threads.
struct DepthwiseParts {
  static constexpr int64_t kVector = 16;  // floats in the longest

  int64_t rows, parts;
  int64_t block, blocks;
  int64_t padded;  // channels, up to whole vectors: a partial one that was just written is slow to read again
  int64_t floats;  // of a part's sums: of each tap, and of the bias

  explicit DepthwiseParts(const DepthwiseSizes& s)
      : rows(s.images * s.rows.windows()),
        block(depthwise_block(s.channels)),
        blocks((s.channels + block - 1) / block),
        padded((s.channels + kVector - 1) / kVector * kVector),
        floats((s.taps() + 1) * padded) {
    // Enough for the threads of most machines, with the blocks; the sums of more would cost as much as they
    // save.
    constexpr int64_t kMostParts = 16;
    const int64_t work = depthwise_work(rows * s.columns.windows() * s.taps() * std::min(block, s.channels));
    parts = std::clamp<int64_t>(work / kSerialWork, 1, std::min(rows, kMostParts));
  }
  int64_t first_row(int64_t part) const { return part * (rows / parts) + std::min(part, rows % parts); }
};

}  // namespace

int64_t depthwise_gradient_floats(const DepthwiseSizes& sizes) {
  const DepthwiseParts parts(sizes);
  return parts.parts * parts.floats;
}

void depthwise_backward_filters(const DepthwiseSizes& s, const float* x, const float* dy, float* filters,
                                float* bias, float* scratch) {
  const DepthwiseParts p(s);
  const int64_t height = s.rows.windows(), taps = s.taps();
  parallel_for(0, p.parts * p.blocks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t item = begin; item < end; ++item) {
      const int64_t part = item / p.blocks, channel = item % p.blocks * p.block;
      const int64_t channels = std::min(p.block, s.channels - channel);
      float* const sums = scratch + part * p.floats;
      for (int64_t t = 0; t <= taps; ++t)
        std::fill_n(sums + t * p.padded + channel, std::min(p.block, p.padded - channel), 0.0f);
      for (int64_t row = p.first_row(part); row < p.first_row(part + 1); ++row) {
        ESPALIER_DISPATCH(depthwise_add_row)
        (s, x, dy, row / height, row % height, channel, channels, sums, p.padded, bias != nullptr);
      }
    }
  });
  parallel_for(0, p.floats, kSerialWork / p.parts, [&](int64_t begin, int64_t end) {
    for (int64_t part = 1; part < p.parts; ++part) {
      const float* const more = scratch + part * p.floats;
      for (int64_t i = begin; i < end; ++i) scratch[i] += more[i];
    }
  });
  for (int64_t c = 0; c < s.channels; ++c) {
    for (int64_t t = 0; t < taps; ++t) filters[c * taps + t] = scratch[t * p.padded + c];
  }
  if (bias) std::copy_n(scratch + taps * p.padded, s.channels, bias);
}

}  // namespace espalier
#endif
