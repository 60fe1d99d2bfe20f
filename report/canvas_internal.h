#pragma once

#include <string>
#include <string_view>

#include "report/svg.h"

namespace espalier::report {

inline constexpr double kFontSize = 12, kTickSize = 11;  // pixels; the style sheet in canvas.cc has the same
inline constexpr int kColours = 6;                       // as many classes s0 ... in the style sheet

/// An svg element under construction. Places are in pixels from the top left.
class Canvas {
 public:
  /// `label` is what a reader is told who cannot see the figure.
  Canvas(double width, double height, std::string_view label);

  void line(double x1, double y1, double x2, double y2, std::string_view classes);
  void rectangle(double x, double y, double width, double height, std::string_view classes,
                 double opacity = 1);
  void path(std::string_view data, std::string_view classes);
  /// Text on the baseline `y`, turned by `degrees` about its anchor. `whole` is shown when a pointer rests on
  /// it, where it differs.
  void text(double x, double y, std::string_view text, std::string_view classes, std::string_view whole = {},
            double degrees = 0);
  /// The heading at the top left. Gives the height that it takes.
  double title(std::string_view title, double width);

  Svg finish() &&;

 private:
  std::string text_;
};

/// Throws ValueError where a side is out of range.
void check_size(int width, int height, const char* where);

}  // namespace espalier::report
