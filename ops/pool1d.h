#pragma once

#include <optional>

#include "core/door.h"

namespace espalier {

// Pooling of signals, [N, C, L]: that of images of height 1, seen without a copy. They refuse what the
// functions on images refuse.

/// How a pooling window slides.
struct AvgPool1dOptions {
  std::optional<int64_t> stride = {};  ///< the kernel's size if not given
  int64_t padding = 0;                 ///< zeros before and after the signal, at most half the kernel
  bool count_include_pad = true;       ///< divide by the kernel's size; false: by the elements inside
};
struct MaxPool1dOptions {
  std::optional<int64_t> stride = {};  ///< the kernel's size if not given
  int64_t padding = 0;                 ///< at most half the kernel; what lies outside is never the largest
  int64_t dilation = 1;                ///< distance between the elements of a window
};

/// The mean of each window: avg_pool2d.
ESPALIER_API Tensor avg_pool1d(const Tensor& x, int64_t kernel, const AvgPool1dOptions& options = {});
/// The largest value of each window: max_pool2d.
ESPALIER_API Tensor max_pool1d(const Tensor& x, int64_t kernel, const MaxPool1dOptions& options = {});
/// Means over `size` windows that divide the signal: adaptive_avg_pool2d.
ESPALIER_API Tensor adaptive_avg_pool1d(const Tensor& x, int64_t size);
/// The largest values of `size` windows that divide the signal: adaptive_max_pool2d.
ESPALIER_API Tensor adaptive_max_pool1d(const Tensor& x, int64_t size);

}  // namespace espalier
