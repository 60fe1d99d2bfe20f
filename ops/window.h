#pragma once

#include <cstdint>
#include <ostream>

namespace espalier {

/// A height and a width (of a kernel, a stride, a padding); one number stands for both.
struct Size2d {
  int64_t height;
  int64_t width;

  constexpr Size2d(int64_t both) : height(both), width(both) {}
  constexpr Size2d(int64_t height_, int64_t width_) : height(height_), width(width_) {}

  friend constexpr bool operator==(const Size2d&, const Size2d&) = default;
};

/// `3x3`.
inline std::ostream& operator<<(std::ostream& out, Size2d size) {
  return out << size.height << 'x' << size.width;
}

}  // namespace espalier
