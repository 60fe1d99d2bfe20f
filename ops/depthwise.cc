// How depthwise convolutions are divided, and when ours are chosen: by rules from measurements, so that a
// program gives the same bits in every run. One core of an EPYC 9004 (AVX-512), GFLOP/s counted without
// padding; `library` is oneDNN 2.6.3's code on the same channels-last images, with its filters packed in the
// forward direction, as ours are there. In turns, 81 times; quartiles of the ratios are 3 % apart, with 8
// images 20 %.
//
//   images, channels, size             forward        gradient of x   gradient of filters
//                                      here library   here library    here library
//   1, 32, 112 x 112, 3 x 3              71      65     70      75      83      62
//   1, 144, 56 x 56, 3 x 3               68      66     69      74      77      53
//   1, 192, 28 x 28, 3 x 3               67      65     67      70      73      62
//   1, 384, 14 x 14, 3 x 3               72      68     64      67      74      61
//   1, 960, 7 x 7, 3 x 3                 76      76     67      31      64      49
//   1, 20, 28 x 28, 3 x 3                42      31     35      31      40      34
//   8, 37, 14 x 14, 3 x 3                46      32     43      32      53      38
//   8, 144, 56 x 56, 3 x 3               23      22     23      18      22      14
//   8, 576, 14 x 14, 3 x 3               64      67     64      66      67      59
//   8, 960, 7 x 7, 3 x 3                 67      73     64      32      71      61
//   1, 72, 28 x 28, 5 x 5                87      66     84      68      84       5
//   8, 240, 14 x 14, 5 x 5               82      80     83      51      76       5
//   1, 96, 112 x 112, 3 x 3, stride 2    41      49     27      38      43      43
//   1, 192, 28 x 28, 3 x 3, stride 2     45      49     25      41      43      46
//   8, 576, 14 x 14, 3 x 3, stride 2     40      48     25      38      38      44
//   1, 240, 28 x 28, 5 x 5, stride 2     61      64     52      58      48       4
//
// `espalier explain PACKAGE --kernels FILE` times the same kernels for the convolutions of any package.

#include <algorithm>
#include <numeric>

#include "core/strided_copy_internal.h"
#include "ops/depthwise_internal.h"

namespace espalier {
namespace {

/// What the library's code for 3 x 3 kernels and whole vectors of channels does not cover, or not well.
bool is_usual(const DepthwiseSizes& s) {
  constexpr int64_t kVector = 16;
  return s.channels % kVector == 0 && s.rows.taps == 3 && s.columns.taps == 3;
}

bool slides_by_one(const DepthwiseSizes& s) {
  return s.rows.stride == 1 && s.columns.stride == 1;
}

}  // namespace

bool depthwise_forward_pays(const DepthwiseSizes& s) {
  return slides_by_one(s) && !is_usual(s);
}
bool depthwise_backward_data_pays(const DepthwiseSizes& s) {
  // Rows of so few pixels that the library's strips are mostly edges.
  constexpr int64_t kNarrow = 8;
  return slides_by_one(s) && (!is_usual(s) || s.columns.size <= kNarrow);
}
bool depthwise_backward_filters_pays(const DepthwiseSizes& s) {
  return slides_by_one(s) || s.taps() > 9;
}

int64_t depthwise_block(int64_t channels) {
  // From 64 to 256: 28 x 28 pixels of 192 channels differ by a tenth at most.
  constexpr int64_t kMost = 160, kVector = 16;
  const int64_t blocks = std::max<int64_t>(1, (channels + kMost - 1) / kMost);
  return ((channels + blocks - 1) / blocks + kVector - 1) / kVector * kVector;
}

bool depthwise_is_far(const DepthwiseSizes& s) {
  constexpr int64_t kNear = int64_t{128} * 1024;  // floats: half of a second-level cache of 1 MiB
  return s.images * s.rows.size * s.columns.size * s.channels > kNear;
}

int64_t depthwise_work(int64_t products) {
  // 70 GFLOP/s a core.
  constexpr int64_t kSpeed = 16;
  return std::max<int64_t>(1, products / kSpeed);
}

void pack_depthwise_filters(const float* filters, int64_t channels, int64_t taps, float* packed) {
  copy_strided(packed, {channels, 1}, filters, {1, taps}, {taps, channels}, sizeof(float));
}

DepthwiseAxis DepthwiseAxis::forward(const WindowAxis& axis) {
  return {.window = axis, .count = axis.windows(), .first = 0, .step = 1, .tap = 0, .tap_step = 1};
}

// Tap k of window o reads position o * stride - padding + k * dilation. So a position p is reached by the
// taps for which p + padding - k * dilation is a multiple of the stride: every `step`th from some tap on,
// each from a window `dilation` before that of the last.
DepthwiseAxis DepthwiseAxis::backward(const WindowAxis& axis, int64_t phase) {
  const int64_t divisor = std::gcd(axis.stride, axis.dilation);
  const int64_t step = axis.stride / divisor, dilation = axis.dilation / divisor;
  const int64_t end = std::min(axis.taps, step), windows = axis.windows();
  const auto distance = [&](int64_t tap) { return phase + axis.padding - tap * axis.dilation; };
  int64_t tap = 0;
  while (tap < end && distance(tap) % axis.stride != 0) ++tap;
  DepthwiseAxis made{.window = {.size = windows, .taps = 0, .stride = 1, .padding = 0, .dilation = 1},
                     .count = (axis.size - phase + axis.stride - 1) / axis.stride,
                     .first = phase,
                     .step = axis.stride,
                     .tap = 0,
                     .tap_step = 0};
  if (tap == end) return made;
  const int64_t others = (axis.taps - 1 - tap) / step;
  made.window.taps = others + 1;
  made.window.padding = others * dilation - distance(tap) / axis.stride;
  made.window.dilation = dilation;
  made.tap = tap + others * step;
  made.tap_step = -step;
  return made;
}

}  // namespace espalier
