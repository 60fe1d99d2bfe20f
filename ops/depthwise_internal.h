#pragma once

#include <cstdint>

#include "ops/window_internal.h"

namespace espalier {

// Convolutions in which each channel has a filter of its own, of f32 images in channels-last memory. Any
// kernel, stride, dilation and padding; what lies outside an image is left out of the sums. The bits do not
// depend on the number of threads.

struct DepthwiseSizes {
  int64_t images = 0, channels = 0;
  WindowAxis rows = {}, columns = {};  ///< of x; windows put out y

  int64_t taps() const { return rows.taps * columns.taps; }
};

/// What happens to y before it is written: a bias of each channel and what `residual`, of y's layout, holds
/// are added where they are there; `relu` is max(0, y).
struct DepthwiseEpilogue {
  const float* bias = nullptr;
  const float* residual = nullptr;
  bool relu = false;
};

/// From filters [channels, 1, KH, KW] to [KH, KW, channels].
void pack_depthwise_filters(const float* filters, int64_t channels, int64_t taps, float* packed);

/// y = epilogue(conv(x, filters)).
void depthwise_forward(const DepthwiseSizes& sizes, const float* x, const float* packed,
                       const DepthwiseEpilogue& epilogue, float* y);

/// The gradient of x from that of y.
void depthwise_backward_data(const DepthwiseSizes& sizes, const float* dy, const float* packed, float* dx);

/// The gradient of the filters, [channels, 1, KH, KW], and, unless null, of the bias. `scratch` has
/// depthwise_gradient_floats().
void depthwise_backward_filters(const DepthwiseSizes& sizes, const float* x, const float* dy, float* filters,
                                float* bias, float* scratch);
int64_t depthwise_gradient_floats(const DepthwiseSizes& sizes);

/// Whether each direction is faster than the library's.
bool depthwise_forward_pays(const DepthwiseSizes& sizes);
bool depthwise_backward_data_pays(const DepthwiseSizes& sizes);
bool depthwise_backward_filters_pays(const DepthwiseSizes& sizes);

// How the work is divided.

/// Channels that are computed together, a multiple of all vectors: rows of more would not stay in the
/// first-level cache from one row of results to the next.
int64_t depthwise_block(int64_t channels);
/// Whether images are likely to come from beyond the second-level cache, so that rows are to be asked for
/// ahead.
bool depthwise_is_far(const DepthwiseSizes& sizes);
/// Multiply-adds in the operations that kSerialWork counts.
int64_t depthwise_work(int64_t products);

/// One axis along which an image is computed from another: the positions `first`, `first` + `step`, ... are
/// sums over windows of the other image.
struct DepthwiseAxis {
  WindowAxis window;      ///< its taps in the order of positions
  int64_t count;          ///< of windows
  int64_t first, step;    ///< where the results stand
  int64_t tap, tap_step;  ///< the filter's tap that the window's first is, and from one to the next

  /// y from x.
  static DepthwiseAxis forward(const WindowAxis& axis);
  /// The positions `phase`, `phase` + stride, ... of x from y. The same taps reach all of them, from
  /// neighbours in y. Where the stride is 1 there is one phase, a convolution with the filter reversed.
  static DepthwiseAxis backward(const WindowAxis& axis, int64_t phase);
};

}  // namespace espalier
