#include <algorithm>

#include "report/frame_internal.h"
#include "report/markup_internal.h"

namespace espalier::report {
namespace {

double widest(const std::vector<Tick>& ticks) {
  double width = 0;
  for (const Tick& tick : ticks) width = std::max(width, kTickSize * text_width(tick.label));
  return width;
}

}  // namespace

void Frame::draw(Canvas& canvas, const ChartOptions& options, double height, double margin) {
  const double width = options.width;
  top = 8 + canvas.title(options.title, width);
  if (!options.y_label.empty()) {
    canvas.text(0, top + 4, shorten(options.y_label, width / kFontSize), "soft", options.y_label);
    top += 18;
  }
  bottom = height - (options.x_label.empty() ? 22 : 40);
  const std::vector<Tick> y_ticks = ticks(y_range, (bottom - top) / 42);
  left = std::max(widest(y_ticks) + 10, 28.0);

  // As many ticks as have room for their labels, which get longer as ticks get closer.
  std::vector<Tick> x_ticks;
  for (double count = 9;; --count) {
    x_ticks = ticks(x_range, count);
    const double label = widest(x_ticks);
    right = width - std::max(margin, label / 2 + 1);
    if (count <= 1 || (label + 18) * static_cast<double>(x_ticks.size()) <= right - left) break;
  }
  x = Axis(x_range, left, right);
  y = Axis(y_range, bottom, top);

  for (const Tick& tick : y_ticks) {
    if (y_range.empty) break;
    const double at = y.at(tick.value);
    canvas.line(left, at, right, at, "grid");
    canvas.text(left - 7, at + 4, tick.label, "tick end");
  }
  canvas.line(left, bottom, right, bottom, "axis");
  for (const Tick& tick : x_ticks) {
    if (x_range.empty) break;
    const double at = x.at(tick.value);
    canvas.line(at, bottom, at, bottom + 4, "axis");
    canvas.text(at, bottom + 16, tick.label, "tick middle");
  }
  if (!options.x_label.empty())
    canvas.text(right, height - 6, shorten(options.x_label, (right - left) / kFontSize), "soft end",
                options.x_label);
  if (y_range.empty) canvas.text((left + right) / 2, (top + bottom) / 2, "no data", "soft middle");
}

}  // namespace espalier::report
