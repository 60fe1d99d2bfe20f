#pragma once

#include "ops/conv2d.h"

namespace espalier {

/// How a 1-d convolution's kernel slides.
struct Conv1dOptions {
  int64_t stride = 1;
  int64_t padding = 0;   ///< zeros before and after the signal
  int64_t dilation = 1;  ///< distance between the elements under the kernel
  int64_t groups = 1;    ///< channels fall into groups; each output channel sees the inputs of its own
};

/// The convolution (a cross-correlation) of `x`, [N, C, L], with `weight`, [O, C / groups, K], plus `bias`,
/// [O], if defined: [N, O, floor((L + 2 padding - dilation (K - 1) - 1) / stride) + 1], in memory ordered N,
/// L, C. It is conv2d of images of height 1, seen without a copy, and refuses what conv2d refuses.
ESPALIER_API Tensor conv1d(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
                           const Conv1dOptions& options = {});

}  // namespace espalier
