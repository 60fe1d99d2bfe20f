// Depthwise convolutions and their gradients with respect to images, row by row of what is computed. The sums
// of a strip of results stay in registers while the taps run.

#include <algorithm>

#include "core/parallel.h"
#include "ops/depthwise_internal.h"

// clang-format off: the order of these includes matters
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/depthwise_convolution.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/depthwise_strip-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {
namespace {

/// Results, and what becomes of them.
struct DepthwiseStrip {
  DepthwiseWindow window;
  const float* filters;  // at the first tap
  int64_t filter_row, filter_column;
  float* y;
  int64_t y_step;  // from result to result
  const float* bias;
  const float* residual;
  bool relu;

  void move_on(int64_t results) {
    window.move_on(results);
    y += results * y_step;
    if (residual) residual += results * y_step;
  }
};

/// A vector of channels.
template <int kResults, bool kShared, bool kEdge, class Lanes>
HWY_INLINE void convolve(const DepthwiseStrip& s, int64_t c, const Lanes& lanes) {
  namespace hn = hwy::HWY_NAMESPACE;
  const DepthwiseTag d;
  DepthwiseVector sums[kResults];
  sums[0] = s.bias ? lanes.load(s.bias + c) : hn::Zero(d);
#pragma GCC unroll 16
  for (int r = 1; r < kResults; ++r) sums[r] = sums[0];
  const float* x = s.window.x + c;
  const float* filter = s.filters + c;
  ask_for_new_rows<kResults>(s.window, x);
  for (int64_t i = 0; i < s.window.rows; ++i, x += s.window.x_row, filter += s.filter_row)
    meet_row<false, kResults, kShared, kEdge>(s.window, x, filter, s.filter_column, lanes, sums);
  if (s.residual) {
#pragma GCC unroll 16
    for (int r = 0; r < kResults; ++r) sums[r] = hn::Add(sums[r], lanes.load(s.residual + r * s.y_step + c));
  }
  if (s.relu) {  // in this order NaN stays NaN, as relu() has it
#pragma GCC unroll 16
    for (int r = 0; r < kResults; ++r) sums[r] = hn::Max(hn::Zero(d), sums[r]);
  }
#pragma GCC unroll 16
  for (int r = 0; r < kResults; ++r) lanes.store(sums[r], s.y + r * s.y_step + c);
}

template <int kResults, bool kShared, bool kEdge>
struct Convolve {
  static void run(const DepthwiseStrip& s, int64_t channels) {
    int64_t c = 0;
    for (; c + kDepthwiseLanes <= channels; c += kDepthwiseLanes)
      convolve<kResults, kShared, kEdge>(s, c, WholeVector());
    if (c < channels) convolve<kResults, kShared, true>(s, c, PartialVector(channels - c));
  }
};

/// From x to y or, `backward`, from dy to dx.
struct DepthwiseRun {
  const DepthwiseSizes& sizes;
  bool backward;
  const float* from;
  const float* filters;
  const DepthwiseEpilogue& epilogue;
  float* to;
  bool far = depthwise_is_far(sizes);

  int64_t to_height() const { return backward ? sizes.rows.size : sizes.rows.windows(); }
  int64_t to_width() const { return backward ? sizes.columns.size : sizes.columns.windows(); }
  int64_t phases(const WindowAxis& axis) const { return backward ? std::min(axis.stride, axis.size) : 1; }
  DepthwiseAxis axis(const WindowAxis& axis, int64_t phase) const {
    return backward ? DepthwiseAxis::backward(axis, phase) : DepthwiseAxis::forward(axis);
  }
};

/// Some channels of a row of results.
struct DepthwiseRow {
  int64_t image, row, channel, channels;
};

/// Those of one phase.
void run_phase(const DepthwiseRun& r, const DepthwiseRow& place, const DepthwiseAxis& rows,
               const DepthwiseAxis& columns) {
  const int64_t all = r.sizes.channels, window = (place.row - rows.first) / rows.step;
  const WindowAxis &high = rows.window, &wide = columns.window;
  const int64_t first = high.first_tap(window), last = high.last_tap(window);
  const bool any = first < last && wide.taps > 0;
  const int64_t row = wide.size * all, filter_row = r.sizes.columns.taps * all;
  const int64_t from = (place.image * high.size + high.start(window) + first * high.dilation) * row;
  const int64_t tap = (rows.tap + first * rows.tap_step) * filter_row + columns.tap * all;
  const int64_t to = ((place.image * r.to_height() + place.row) * r.to_width() + columns.first) * all;
  DepthwiseStrip strip{.window = {.x = any ? r.from + from + place.channel : r.from,
                                  .x_row = high.dilation * row,
                                  .x_width = row,
                                  .x_step = wide.stride * all,
                                  .x_column = wide.dilation * all,
                                  .column = wide.start(0) * all,
                                  .new_rows = any && r.far ? std::min<int64_t>(high.stride, 2) : 0,
                                  .first_new = (last - first - 1) * high.dilation * row + row,
                                  .rows = any ? last - first : 0,
                                  .columns = wide.taps},
                       .filters = any ? r.filters + tap + place.channel : r.filters,
                       .filter_row = rows.tap_step * filter_row,
                       .filter_column = columns.tap_step * all,
                       .y = r.to + to + place.channel,
                       .y_step = columns.step * all,
                       .bias = r.epilogue.bias ? r.epilogue.bias + place.channel : nullptr,
                       .residual = r.epilogue.residual ? r.epilogue.residual + to + place.channel : nullptr,
                       .relu = r.epilogue.relu};
  for_each_strip(columns.count, [&](int64_t results) {
    DepthwiseStripTable<Convolve, DepthwiseStrip>::of(strip.window, results)(strip, place.channels);
    strip.move_on(results);
  });
}

/// Rows [begin, end), counted by image, block of channels and row.
void run_rows(const DepthwiseRun& r, int64_t block, int64_t begin, int64_t end) {
  // Rows of all phases are computed together while what they read and write is in cache; an axis costs as
  // much as some pixels.
  constexpr int64_t kTogether = 8;
  const int64_t height = r.to_height(), blocks = (r.sizes.channels + block - 1) / block;
  const int64_t row_phases = r.phases(r.sizes.rows), column_phases = r.phases(r.sizes.columns);
  for (int64_t some = begin; some < end; some += kTogether) {
    for (int64_t phase = 0; phase < column_phases; ++phase) {
      const DepthwiseAxis columns = r.axis(r.sizes.columns, phase);
      for (int64_t i = some; i < std::min(some + kTogether, end); ++i) {
        const int64_t row = i % height, channel = i / height % blocks * block;
        run_phase(r,
                  {.image = i / (height * blocks),
                   .row = row,
                   .channel = channel,
                   .channels = std::min(block, r.sizes.channels - channel)},
                  r.axis(r.sizes.rows, row % row_phases), columns);
      }
    }
  }
}

}  // namespace

void depthwise_rows(const DepthwiseSizes& sizes, bool backward, const float* from, const float* filters,
                    const DepthwiseEpilogue& epilogue, float* to, int64_t block, int64_t begin, int64_t end) {
  run_rows({sizes, backward, from, filters, epilogue, to}, block, begin, end);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier {

HWY_EXPORT(depthwise_rows);

namespace {

void run_depthwise(const DepthwiseSizes& s, bool backward, const float* from, const float* filters,
                   const DepthwiseEpilogue& epilogue, float* to) {
  const int64_t block = depthwise_block(s.channels), blocks = (s.channels + block - 1) / block;
  const int64_t height = backward ? s.rows.size : s.rows.windows();
  const int64_t row_work = depthwise_work(s.columns.windows() * s.taps() * block);
  parallel_for(0, s.images * blocks * height, std::max<int64_t>(1, kSerialWork / row_work),
               [&](int64_t begin, int64_t end) {
                 ESPALIER_DISPATCH(depthwise_rows)
                 (s, backward, from, filters, epilogue, to, block, begin, end);
               });
}

}  // namespace

void depthwise_forward(const DepthwiseSizes& sizes, const float* x, const float* packed,
                       const DepthwiseEpilogue& epilogue, float* y) {
  run_depthwise(sizes, false, x, packed, epilogue, y);
}

void depthwise_backward_data(const DepthwiseSizes& sizes, const float* dy, const float* packed, float* dx) {
  run_depthwise(sizes, true, dy, packed, {}, dx);
}

}  // namespace espalier
#endif
