#include <algorithm>
#include <cmath>

#include "report/axis_internal.h"
#include "report/canvas_internal.h"
#include "report/frame_internal.h"
#include "report/svg.h"

namespace espalier::report {
namespace {

constexpr double kMaxBins = 60;

struct Bins {
  double first = 0, width = 1;  // the left edge of the first
  std::vector<double> counts;
};

/// The distance between the quartiles, to within an element.
double quartile_range(std::vector<double> values) {
  const auto at = [&](size_t i) {
    const auto place = values.begin() + static_cast<std::ptrdiff_t>(i);
    std::nth_element(values.begin(), place, values.end());
    return *place;
  };
  return at(values.size() * 3 / 4) - at(values.size() / 4);
}

Bins bins_of(const std::vector<double>& values, const Range& range) {
  Bins bins;
  const double span = range.high - range.low, size = std::max(std::abs(range.low), std::abs(range.high));
  if (span <= std::max(1e-9 * size, 1e-290)) {
    bins.width = range.whole ? 1 : round_step(std::max(size / 20, 1e-290)).value;
    bins.first = range.low - bins.width / 2;
  } else if (range.whole && span < kMaxBins) {
    bins.first = range.low - 0.5;
  } else {
    const double rule = 2 * quartile_range(values) / std::cbrt(static_cast<double>(values.size()));
    bins.width = round_step(std::clamp(rule, span / (kMaxBins - 2), span / 4)).value;
    bins.first = std::floor(range.low / bins.width) * bins.width;
  }
  const auto bin_of = [&](double value) {
    return static_cast<size_t>(std::max(0.0, std::floor((value - bins.first) / bins.width)));
  };
  bins.counts.resize(bin_of(range.high) + 1);
  for (const double value : values) ++bins.counts[bin_of(value)];
  return bins;
}

}  // namespace

Svg histogram(std::span<const double> values, const ChartOptions& options) {
  check_size(options.width, options.height, "histogram");
  Range range;
  std::vector<double> shown;
  for (const double value : values) {
    if (!range.shows(value)) continue;
    range.add(value);
    shown.push_back(value);
  }
  const double n = static_cast<double>(values.size());
  ChartOptions plain_options = options;
  plain_options.x_scale = plain_options.y_scale = Scale::linear;
  plain_options.y_label = "count of " + plain(n, 0);
  if (shown.size() < values.size())
    plain_options.y_label += ", " + plain(n - static_cast<double>(shown.size()), 0) + " of them not finite";

  Frame frame;
  Bins bins;
  if (!shown.empty()) {
    bins = bins_of(shown, range);
    frame.y_range.add(0);
    frame.y_range.add(std::ranges::max(bins.counts));
    frame.x_range.add(bins.first);
    frame.x_range.add(bins.first + bins.width * static_cast<double>(bins.counts.size()));
    if (bins.counts.size() == 1) {  // a bar, not a wall
      frame.x_range.add(bins.first - bins.width);
      frame.x_range.add(bins.first + 2 * bins.width);
    }
    frame.x_range.whole = range.whole;
  }
  frame.x_range.widen();
  frame.y_range.pad();
  Canvas canvas(options.width, options.height, options.title.empty() ? options.x_label : options.title);
  frame.draw(canvas, plain_options, options.height, 8);
  if (shown.empty()) return std::move(canvas).finish();
  for (size_t i = 0; i < bins.counts.size(); ++i) {
    if (bins.counts[i] == 0) continue;
    const double from = frame.x.at(bins.first + bins.width * static_cast<double>(i));
    const double to = frame.x.at(bins.first + bins.width * static_cast<double>(i + 1));
    // A bin with few values among many keeps half a pixel.
    const double height = std::max(frame.bottom - frame.y.at(bins.counts[i]), 0.5);
    canvas.rectangle(from + 0.5, frame.bottom - height, std::max(to - from - 1, 0.5), height, "f0");
  }
  return std::move(canvas).finish();
}

}  // namespace espalier::report
