#pragma once

#include "report/axis_internal.h"
#include "report/canvas_internal.h"

namespace espalier::report {

/// The part of a chart that holds its data, and what stands around it.
struct Frame {
  Range x_range, y_range;
  double left = 0, top = 0, right = 0, bottom = 0;  // pixels
  Axis x{Range{}, 0, 1}, y{Range{}, 0, 1};

  /// Lays the frame out in `height` pixels with `margin` of them free at its right, and draws title, labels,
  /// grid and ticks. The ranges must be what is to be seen, `empty` where nothing is.
  void draw(Canvas& canvas, const ChartOptions& options, double height, double margin);
};

}  // namespace espalier::report
