#pragma once

#include "ops/avg_pool2d.h"
#include "ops/window_internal.h"

namespace espalier {

/// The windows of an average pooling over images of a shape.
struct AvgWindows {
  WindowAxis rows, columns;
  bool count_include_pad;

  AvgWindows(const AvgPool2d& op, const Shape& image)
      : rows{image[2], op.kernel().height, op.stride().height, op.options().padding.height, 1},
        columns{image[3], op.kernel().width, op.stride().width, op.options().padding.width, 1},
        count_include_pad(op.options().count_include_pad) {}

  /// What the sum of window (h, w) is divided by.
  int64_t divisor(int64_t h, int64_t w) const noexcept {
    if (count_include_pad) return rows.taps * columns.taps;
    return (rows.last_tap(h) - rows.first_tap(h)) * (columns.last_tap(w) - columns.first_tap(w));
  }

  /// Calls `f(row, column)` for the elements of the image in window (h, w).
  template <class F>
  void for_each_tap(int64_t h, int64_t w, const F& f) const {
    for (int64_t i = rows.first_tap(h); i < rows.last_tap(h); ++i) {
      for (int64_t j = columns.first_tap(w); j < columns.last_tap(w); ++j)
        f(rows.start(h) + i, columns.start(w) + j);
    }
  }
};

}  // namespace espalier
