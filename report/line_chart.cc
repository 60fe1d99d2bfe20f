#include <algorithm>
#include <cmath>
#include <limits>
#include <ranges>
#include <utility>

#include "core/error.h"
#include "report/axis_internal.h"
#include "report/canvas_internal.h"
#include "report/curve_internal.h"
#include "report/frame_internal.h"
#include "report/markup_internal.h"
#include "report/svg.h"

namespace espalier::report {
namespace {

constexpr double kNameStep = 16;          // pixels from one name to the next
constexpr double kSeriesNameWidth = 150;  // pixels that a name may take
constexpr double kSwatch = 18;            // pixels of line before a name, with the gap behind it
constexpr size_t kFew = 40;               // points that are marked one by one
constexpr double kRestless = 8;  // heights of the frame that a line travels before it is drawn thinner

double x_of(const Series& series, size_t i) {
  return series.x.empty() ? static_cast<double>(i) : series.x[i];
}

/// The series' points as runs without gaps, in pixels.
std::vector<std::vector<Place>> runs_of(const Series& series, const Frame& frame) {
  std::vector<std::vector<Place>> runs;
  bool open = false;
  for (size_t i = 0; i < series.y.size(); ++i) {
    const double x = x_of(series, i), y = series.y[i];
    const bool shown = frame.x_range.shows(x) && frame.y_range.shows(y);
    if (shown) {
      if (!open) runs.emplace_back();
      runs.back().push_back({static_cast<int>(std::lround(10 * frame.x.at(x))),
                             static_cast<int>(std::lround(10 * frame.y.at(y)))});
    }
    open = shown;
  }
  return runs;
}

std::string classes_of(size_t series) {
  return "s" + std::to_string(series % kColours) + " d" + std::to_string(series / kColours % 3);
}

/// Draws a series and gives the height at which it ends, or infinity where nothing is to be seen.
double draw(Canvas& canvas, const Series& series, size_t number, const Frame& frame) {
  const std::vector<std::vector<Place>> runs = runs_of(series, frame);
  size_t points = 0;
  double travel = 0;  // up and down, in tenths of a pixel
  for (const auto& run : runs) {
    points += run.size();
    for (size_t i = 1; i < run.size(); ++i) travel += std::abs(run[i].y - run[i - 1].y);
  }
  std::string lines, marks;
  for (const auto& run : runs) {
    if (run.size() > 1) lines += polyline(thin(run));
    if (run.size() == 1 || points <= kFew) marks += dots(run);
  }
  canvas.path(lines, (travel > kRestless * 10 * (frame.bottom - frame.top) ? "curve dense " : "curve ") +
                         classes_of(number));
  canvas.path(marks, "dots s" + std::to_string(number % kColours));
  return runs.empty() ? std::numeric_limits<double>::infinity() : runs.back().back().y / 10.0;
}

/// Names at the right, each as near to the end of its line as the others let it.
void draw_names(Canvas& canvas, std::span<const Series> series, std::vector<double> ends,
                const Frame& frame) {
  std::vector<size_t> order(series.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::sort(order, {}, [&](size_t i) { return std::pair(ends[i], i); });
  double least = frame.top;
  for (const size_t i : order) least = (ends[i] = std::max(ends[i], least)) + kNameStep;
  double most = frame.bottom;
  for (const size_t i : std::views::reverse(order)) most = (ends[i] = std::min(ends[i], most)) - kNameStep;
  for (size_t i = 0; i < series.size(); ++i) {
    const double x = frame.right + 10, y = ends[i];
    canvas.line(x, y, x + kSwatch - 5, y, "curve " + classes_of(i));
    canvas.text(x + kSwatch, y + 4, shorten(series[i].name, kSeriesNameWidth / kFontSize), "",
                series[i].name);
  }
}

}  // namespace

Svg line_chart(std::span<const Series> series, const ChartOptions& options) {
  check_size(options.width, options.height, "line_chart");
  Frame frame;
  frame.x_range.scale = options.x_scale;
  frame.y_range.scale = options.y_scale;
  double names = 0;
  std::string label = options.title.empty() ? options.y_label : options.title;
  for (const Series& one : series) {
    if (!one.x.empty() && one.x.size() != one.y.size())
      throw ShapeError("line_chart", "the series '" + one.name + "' has " + std::to_string(one.x.size()) +
                                         " x and " + std::to_string(one.y.size()) + " y");
    names = std::max(names, std::min(kSeriesNameWidth, kFontSize * text_width(one.name)));
    label += (label.empty() ? "" : "; ") + one.name;
    for (size_t i = 0; i < one.y.size(); ++i) {
      if (!frame.x_range.shows(x_of(one, i)) || !frame.y_range.shows(one.y[i])) continue;
      frame.x_range.add(x_of(one, i));
      frame.y_range.add(one.y[i]);
    }
  }
  frame.x_range.widen();
  frame.y_range.pad();

  const bool named = series.size() > 1;
  const double least = kNameStep * static_cast<double>(series.size()) + 100;
  const double height = named ? std::max<double>(options.height, least) : options.height;
  Canvas canvas(options.width, height, label);
  frame.draw(canvas, options, height, named ? names + kSwatch + 14 : 0);
  std::vector<double> ends;
  ends.reserve(series.size());
  for (size_t i = 0; i < series.size(); ++i) ends.push_back(draw(canvas, series[i], i, frame));
  if (named) draw_names(canvas, series, std::move(ends), frame);
  return std::move(canvas).finish();
}

}  // namespace espalier::report
