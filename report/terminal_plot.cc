#include "report/terminal_plot.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "report/table.h"

namespace espalier::report {
namespace {

/// A canvas of Braille characters: two dots across and four down in each.
class DotCanvas {
 public:
  DotCanvas(int width, int height)
      : width_(width), height_(height), cells_(static_cast<size_t>(width) * static_cast<size_t>(height)) {}
  int dots_across() const { return 2 * width_; }
  int dots_down() const { return 4 * height_; }

  void set(int x, int y) {
    // Unicode's order of the dots: the left column from the top is bits 0, 1, 2, 6, the right one bits 3, 4,
    // 5, 7.
    constexpr unsigned char kBits[2][4] = {{0x01, 0x02, 0x04, 0x40}, {0x08, 0x10, 0x20, 0x80}};
    x = std::clamp(x, 0, dots_across() - 1);
    y = std::clamp(y, 0, dots_down() - 1);
    cells_[place(x / 2, y / 4)] |= kBits[x % 2][y % 4];
  }

  void line(int x0, int y0, int x1, int y1) {
    const int steps = std::max({std::abs(x1 - x0), std::abs(y1 - y0), 1});
    for (int i = 0; i <= steps; ++i) set(x0 + (x1 - x0) * i / steps, y0 + (y1 - y0) * i / steps);
  }

  std::string row(int y) const {
    std::string text;
    for (int x = 0; x < width_; ++x) {
      const unsigned code = 0x2800u + cells_[place(x, y)];
      text += {static_cast<char>(0xe0 | code >> 12), static_cast<char>(0x80 | (code >> 6 & 0x3f)),
               static_cast<char>(0x80 | (code & 0x3f))};
    }
    return text;
  }

 private:
  size_t place(int x, int y) const {
    return static_cast<size_t>(y) * static_cast<size_t>(width_) + static_cast<size_t>(x);
  }

  int width_, height_;
  std::vector<unsigned char> cells_;
};

}  // namespace

void plot_curves(std::ostream& out, std::span<const Curve> curves, int width, int height) {
  if (width < 8 || height < 2) throw ValueError("plot_curves", "needs at least 8 x 2 characters");
  double low = std::numeric_limits<double>::infinity(), high = -low;
  size_t longest = 0;
  for (const Curve& curve : curves) {
    longest = std::max(longest, curve.values.size());
    for (const double value : curve.values) {
      if (!std::isfinite(value)) continue;
      low = std::min(low, value);
      high = std::max(high, value);
    }
  }
  if (!(low <= high)) {
    out << "(nothing to plot)\n";
    return;
  }
  if (low == high) {
    low -= 0.5;
    high += 0.5;
  }
  DotCanvas canvas(width, height);
  std::vector<std::string> names(static_cast<size_t>(height));
  const auto y_of = [&](double value) {
    return static_cast<int>(std::lround((high - value) / (high - low) * (canvas.dots_down() - 1)));
  };
  const auto x_of = [&](size_t i) {
    return longest < 2 ? 0
                       : static_cast<int>(static_cast<int64_t>(i) * (canvas.dots_across() - 1) /
                                          static_cast<int64_t>(longest - 1));
  };
  for (const Curve& curve : curves) {
    int last = -1;  // the place of the last finite value
    for (size_t i = 0; i < curve.values.size(); ++i) {
      if (!std::isfinite(curve.values[i])) continue;
      const bool joined = last >= 0;
      const size_t from = joined ? static_cast<size_t>(last) : i;
      canvas.line(x_of(from), y_of(curve.values[from]), x_of(i), y_of(curve.values[i]));
      last = static_cast<int>(i);
    }
    if (last < 0) continue;
    std::string& name = names[static_cast<size_t>(y_of(curve.values[static_cast<size_t>(last)]) / 4)];
    name += (name.empty() ? " " : ", ") + curve.name;
  }
  const std::string top = fixed(high, 3), bottom = fixed(low, 3);
  const size_t margin = std::max(top.size(), bottom.size());
  for (int y = 0; y < height; ++y) {
    const std::string label = y == 0 ? top : y == height - 1 ? bottom : "";
    out << std::string(margin - label.size(), ' ') << label << " ┤" << canvas.row(y)
        << names[static_cast<size_t>(y)] << '\n';
  }
}

void print_images(std::ostream& out, const Tensor& images, std::span<const std::string> captions,
                  bool colour) {
  if (images.rank() != 4 || images.size(1) != 1 || images.dtype() != Dtype::f32) {
    throw ShapeError("print_images", describe(images) + " given; expected f32[N, 1, H, W]");
  }
  const std::vector<float> pixels = images.to_vector<float>();
  const int64_t n = images.size(0), height = images.size(2), width = images.size(3);
  const auto grey = [&](int64_t image, int64_t y, int64_t x) {
    const float value = y < height ? pixels[static_cast<size_t>((image * height + y) * width + x)] : 0;
    return static_cast<int>(255 * std::clamp(value, 0.0F, 1.0F));
  };
  const size_t column = std::max<size_t>(static_cast<size_t>(colour ? width : 2 * width), 10) + 2;
  for (int64_t y = 0; y < height; y += colour ? 2 : 1) {
    for (int64_t image = 0; image < n; ++image) {
      for (int64_t x = 0; x < width; ++x) {
        if (colour) {
          const std::string upper = std::to_string(grey(image, y, x)),
                            lower = std::to_string(grey(image, y + 1, x));
          out << "\033[38;2;" << upper << ';' << upper << ';' << upper << ";48;2;" << lower << ';' << lower
              << ';' << lower << "m▀";
        } else {
          constexpr const char* kShades[] = {"  ", "░░", "▒▒", "▓▓", "██"};
          out << kShades[grey(image, y, x) * 5 / 256];
        }
      }
      if (colour) out << "\033[0m";
      out << std::string(column - static_cast<size_t>(colour ? width : 2 * width), ' ');
    }
    out << '\n';
  }
  for (const std::string& caption : captions)
    out << caption << std::string(std::max(column, display_width(caption) + 1) - display_width(caption), ' ');
  out << '\n';
}

}  // namespace espalier::report
