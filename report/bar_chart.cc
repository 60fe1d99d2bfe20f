#include <algorithm>
#include <charconv>

#include "report/axis_internal.h"
#include "report/canvas_internal.h"
#include "report/markup_internal.h"
#include "report/svg.h"

namespace espalier::report {
namespace {

constexpr double kBarStep = 22, kBarHeight = 14;  // pixels
constexpr double kBarNameWidth = 180, kTextWidth = 120;

std::string text_of(const Bar& bar) {
  if (!bar.text.empty()) return bar.text;
  char text[64];
  const auto [end, error] = std::to_chars(text, text + sizeof text, bar.value, std::chars_format::general, 4);
  return {text, end};
}

}  // namespace

Svg bar_chart(std::span<const Bar> bars, const ChartOptions& options) {
  check_size(options.width, 120, "bar_chart");
  Range range;
  double names = 0, texts = 0;
  for (const Bar& bar : bars) {
    range.add(bar.value);
    names = std::max(names, std::min(kBarNameWidth, kFontSize * text_width(bar.name)));
    texts = std::max(texts, std::min(kTextWidth, kTickSize * text_width(text_of(bar))));
  }
  const double heading = options.title.empty() ? 0 : 24, label = options.x_label.empty() ? 0 : 18;
  const double top = heading + 2,
               bottom = top + kBarStep * static_cast<double>(std::max<size_t>(bars.size(), 1));
  // Names and texts share the width with bars, of which a good part stays in any case.
  const double width = options.width, most = 0.4 * width;
  const double left = std::min(names, most) + 8, room = width - left - std::min(texts, 0.25 * width) - 8;
  const double largest = range.empty || range.high <= 0 ? 1 : range.high;

  Canvas canvas(width, bottom + label + 4, options.title.empty() ? options.x_label : options.title);
  canvas.title(options.title, width);
  if (bars.empty()) canvas.text(left, top + 15, "no data", "soft");
  for (size_t i = 0; i < bars.size(); ++i) {
    const Bar& bar = bars[i];
    const double y = top + kBarStep * static_cast<double>(i), middle = y + kBarStep / 2;
    const double length = range.shows(bar.value) && bar.value > 0 ? bar.value / largest * room : 0;
    canvas.text(left - 8, middle + 4, shorten(bar.name, (left - 8) / kFontSize), "end", bar.name);
    if (length > 0) canvas.rectangle(left, middle - kBarHeight / 2, std::max(length, 0.5), kBarHeight, "f0");
    const std::string text = text_of(bar);
    canvas.text(left + length + 6, middle + 4, shorten(text, 0.25 * width / kTickSize), "tick", text);
  }
  canvas.line(left, top, left, bottom, "axis");
  if (label > 0)
    canvas.text(left, bottom + 14, shorten(options.x_label, (width - left) / kFontSize), "soft",
                options.x_label);
  return std::move(canvas).finish();
}

}  // namespace espalier::report
