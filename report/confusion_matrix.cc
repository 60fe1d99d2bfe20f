#include <algorithm>
#include <cmath>
#include <cstdint>

#include "core/error.h"
#include "report/axis_internal.h"
#include "report/canvas_internal.h"
#include "report/markup_internal.h"
#include "report/svg.h"

namespace espalier::report {
namespace {

constexpr int64_t kMaxClasses = 200;
constexpr double kClassNameWidth = 140;  // pixels that a class name may take
constexpr double kMaxSide = 640;         // pixels that cells may take together ...
constexpr double kLeastCell = 4;         // ... and that each takes in any case
constexpr double kLineHeight = 15;       // cells as high as this have room for text
constexpr double kShareWidth = 50;       // of the column of recalls
constexpr double kSlantedCell = 20;      // narrower cells have names upright, lest they touch
constexpr double kShareCell = 40;        // cells as wide as this have room for a precision
constexpr double kStrong = 0.5;          // the opacity from which text on a cell is light

std::string percent(int64_t part, int64_t whole) {
  return whole > 0 ? plain(100 * static_cast<double>(part) / static_cast<double>(whole), 1) : "–";
}

struct Counts {
  std::vector<int64_t> values, rows, columns;  // sums of rows and columns
  int64_t classes;
  int64_t operator()(int64_t row, int64_t column) const {
    return values[static_cast<size_t>(row * classes + column)];
  }
  int64_t row(int64_t i) const { return rows[static_cast<size_t>(i)]; }
  int64_t column(int64_t i) const { return columns[static_cast<size_t>(i)]; }
};

Counts counts_of(const Tensor& tensor, size_t names) {
  const char* const where = "confusion_matrix";
  const std::string given = describe(tensor) + " and " + std::to_string(names) + " names given; expected ";
  if (tensor.dtype() != Dtype::i64) throw TypeError(where, given + "i64");
  if (tensor.rank() != 2 || tensor.size(0) != tensor.size(1) || tensor.size(0) < 1 ||
      tensor.size(0) > kMaxClasses || static_cast<size_t>(tensor.size(0)) != names)
    throw ShapeError(where, given + "i64[K, K] and K names, K from 1 to " + std::to_string(kMaxClasses));
  Counts counts{tensor.to_vector<int64_t>(), std::vector<int64_t>(names), std::vector<int64_t>(names),
                tensor.size(0)};
  for (size_t i = 0; i < counts.values.size(); ++i) {
    const int64_t count = counts.values[i];
    if (count < 0 || count > int64_t{1} << 52)
      throw ValueError(where, "a count of " + std::to_string(count) + "; expected from 0 to 2^52");
    counts.rows[i / names] += count;
    counts.columns[i % names] += count;
  }
  return counts;
}

/// Where things stand: cells from (left, top), names left of and above them.
struct CellLayout {
  double cell, left, top, names_above;
  bool numbers, names, slanted;
  double degrees;  // of slanted names
};

CellLayout layout_of(const Counts& counts, std::span<const std::string> classes, double title) {
  const double k = static_cast<double>(counts.classes);
  double name = 0, number = 0;
  for (const std::string& one : classes)
    name = std::max(name, std::min(kClassNameWidth, kFontSize * text_width(one)));
  for (const int64_t count : counts.values)
    number = std::max(number, kTickSize * text_width(plain(static_cast<double>(count), 0)));
  const double wanted = std::clamp(number + 10, kShareCell, 64.0);
  CellLayout at{};
  at.cell = std::clamp(kMaxSide / k, kLeastCell, wanted);
  at.numbers = at.cell >= number + 4 && at.cell >= kLineHeight;
  at.names = at.cell >= kLineHeight;
  at.slanted = name > at.cell - 6;
  at.degrees = at.cell < kSlantedCell ? -90 : -45;
  at.names_above = !at.names ? 0 : !at.slanted ? kLineHeight + 3 : (at.degrees < -45 ? 1 : 0.71) * name + 12;
  at.left = std::max(at.names ? name + 8 : 8, 70.0);
  at.top = title + 18 + at.names_above;
  return at;
}

void draw_cells(Canvas& canvas, const Counts& counts, const CellLayout& at) {
  const double gap = at.cell >= kLineHeight ? 1 : 0;
  for (int64_t row = 0; row < counts.classes; ++row) {
    for (int64_t column = 0; column < counts.classes; ++column) {
      const int64_t count = counts(row, column);
      if (count == 0) continue;
      const double share = static_cast<double>(count) / static_cast<double>(counts.row(row));
      const double opacity = 0.1 + 0.8 * std::sqrt(share);
      const double x = at.left + at.cell * static_cast<double>(column),
                   y = at.top + at.cell * static_cast<double>(row);
      canvas.rectangle(x + gap / 2, y + gap / 2, at.cell - gap, at.cell - gap, row == column ? "f0" : "f1",
                       opacity);
      if (at.numbers)
        canvas.text(x + at.cell / 2, y + at.cell / 2 + 4, plain(static_cast<double>(count), 0),
                    opacity > kStrong ? "count middle strong" : "count middle");
    }
  }
}

}  // namespace

Svg confusion_matrix(const Tensor& counts, std::span<const std::string> classes, const std::string& title) {
  const Counts sums = counts_of(counts, classes.size());
  const double heading = title.empty() ? 0 : 24;
  const CellLayout at = layout_of(sums, classes, heading);
  const double side = at.cell * static_cast<double>(sums.classes);
  const double right = at.left + side, bottom = at.top + side;
  // Slanted names of the last columns lean out over the column of recalls.
  const double width =
      std::max(right + (at.slanted ? std::max(kShareWidth, at.names_above) : kShareWidth), 240.0);
  const double height = bottom + (at.names ? 24 : 8);
  Canvas canvas(width, height, title.empty() ? "confusion matrix" : title);
  canvas.title(title, width);
  canvas.text(at.left, heading + 12, "predicted →", "soft");
  canvas.text(0, at.top - 6, "true ↓", "soft");

  for (int64_t i = 0; i <= sums.classes; ++i) {
    const double offset = at.cell * static_cast<double>(i);
    if (!at.names && i % sums.classes != 0) continue;
    canvas.line(at.left, at.top + offset, right, at.top + offset, "grid");
    canvas.line(at.left + offset, at.top, at.left + offset, bottom, "grid");
  }
  draw_cells(canvas, sums, at);
  if (!at.names) return std::move(canvas).finish();
  canvas.text(right + kShareWidth - 2, bottom + 17, "recall %", "tick end");
  if (at.cell >= kShareCell) canvas.text(at.left - 7, bottom + 17, "precision %", "tick end");
  for (int64_t i = 0; i < sums.classes; ++i) {
    const std::string& name = classes[static_cast<size_t>(i)];
    const std::string shown = shorten(name, kClassNameWidth / kFontSize);
    const double middle = at.cell * (static_cast<double>(i) + 0.5);
    canvas.text(at.left - 7, at.top + middle + 4, shown, "end", name);
    if (at.slanted)
      canvas.text(at.left + middle + 3, at.top - 6, shown, "", name, at.degrees);
    else
      canvas.text(at.left + middle, at.top - 6, shown, "middle", name);
    canvas.text(right + kShareWidth - 2, at.top + middle + 4, percent(sums(i, i), sums.row(i)), "tick end");
    if (at.cell >= kShareCell)
      canvas.text(at.left + middle, bottom + 17, percent(sums(i, i), sums.column(i)), "tick middle");
  }
  return std::move(canvas).finish();
}

}  // namespace espalier::report
