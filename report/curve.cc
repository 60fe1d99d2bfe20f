#include <algorithm>
#include <array>
#include <cstdlib>

#include "report/curve_internal.h"

namespace espalier::report {
namespace {

void append_tenths(std::string& text, int tenths) {
  if (tenths < 0)
    text += '-';
  else if (!text.empty() && text.back() >= '0' && text.back() <= '9')
    text += ' ';
  tenths = std::abs(tenths);
  text += std::to_string(tenths / 10);
  if (tenths % 10 != 0) {
    text += '.';
    text += static_cast<char>('0' + tenths % 10);
  }
}

void append_place(std::string& text, char command, int x, int y) {
  text += command;
  append_tenths(text, x);
  append_tenths(text, y);
}

}  // namespace

std::vector<Place> thin(std::span<const Place> points) {
  std::vector<Place> kept;
  for (size_t begin = 0; begin < points.size();) {
    size_t end = begin + 1, low = begin, high = begin;
    for (; end < points.size() && points[end].x / 10 == points[begin].x / 10; ++end) {
      if (points[end].y < points[low].y) low = end;
      if (points[end].y > points[high].y) high = end;
    }
    std::array<size_t, 4> order = {begin, low, high, end - 1};
    std::ranges::sort(order);
    for (size_t i = 0; i < order.size(); ++i)
      if (i == 0 || order[i] != order[i - 1]) kept.push_back(points[order[i]]);
    begin = end;
  }
  return kept;
}

std::string polyline(std::span<const Place> points) {
  std::string text;
  if (points.empty()) return text;
  append_place(text, 'M', points[0].x, points[0].y);
  for (size_t i = 1; i < points.size(); ++i)
    append_place(text, 'l', points[i].x - points[i - 1].x, points[i].y - points[i - 1].y);
  return text;
}

std::string dots(std::span<const Place> points) {
  std::string text;
  for (const Place& point : points) {
    append_place(text, 'M', point.x, point.y);
    text += "h0";
  }
  return text;
}

}  // namespace espalier::report
