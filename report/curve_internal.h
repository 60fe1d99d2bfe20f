#pragma once

#include <span>
#include <string>
#include <vector>

namespace espalier::report {

/// A place of a figure, in tenths of a pixel, which is what its text keeps.
struct Place {
  int x, y;
};

/// Of points whose x fall into one pixel, in a row: the first, the lowest, the highest and the last, in
/// order.
std::vector<Place> thin(std::span<const Place> points);

/// The `d` of a path through the points.
std::string polyline(std::span<const Place> points);
/// The `d` of a path that sets a dot on each point (with a round line cap).
std::string dots(std::span<const Place> points);

}  // namespace espalier::report
