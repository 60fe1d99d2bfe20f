#include <algorithm>
#include <stdexcept>
#include <string>

#include "runtime/package_internal.h"

namespace espalier::runtime {
namespace {

// Two words, so that no attribute of an operation can have this name.
constexpr const char* kByCorner = "by corner";

bool all_equal(const std::vector<Json>& corners) {
  return std::all_of(corners.begin(), corners.end(),
                     [&](const Json& corner) { return corner == corners.front(); });
}

/// Whether all are lists, or objects, of as many entries.
bool of_one_structure(const std::vector<Json>& corners) {
  const Json& first = corners.front();
  return first.is_structured() && std::all_of(corners.begin(), corners.end(), [&](const Json& corner) {
           return corner.type() == first.type() && corner.size() == first.size();
         });
}

}  // namespace

Json by_corner(const std::vector<Json>& corners) {
  const Json& first = corners.front();
  if (all_equal(corners)) return first;
  if (!of_one_structure(corners)) return {{kByCorner, corners}};
  Json together = first;
  auto entry = together.begin();
  for (size_t i = 0; i < first.size(); ++i, ++entry) {
    std::vector<Json> entries;
    for (const Json& corner : corners)
      entries.push_back(*std::next(corner.begin(), static_cast<std::ptrdiff_t>(i)));
    *entry = by_corner(entries);
  }
  return together;
}

Json at_corner(const Json& json, size_t corner, size_t corners) {
  if (!json.is_structured() || corners == 1) return json;
  if (json.is_object() && json.contains(kByCorner)) {
    const Json& list = json.at(kByCorner);
    if (!list.is_array() || list.size() != corners) {
      throw std::invalid_argument("'" + json.dump() + "' has no list of " + std::to_string(corners) +
                                  ", one for each corner");
    }
    return list[corner];
  }
  Json found = json;
  for (Json& entry : found) entry = at_corner(entry, corner, corners);
  return found;
}

}  // namespace espalier::runtime
