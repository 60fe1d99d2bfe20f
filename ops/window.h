#pragma once

#include <cstdint>
#include <ostream>
#include <string_view>

#include "core/attributes.h"

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

/// A list of height and width.
ESPALIER_API void visit_attribute(AttributeVisitor& visit, std::string_view name, Size2d& size);

}  // namespace espalier
