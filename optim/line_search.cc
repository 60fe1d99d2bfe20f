#include <algorithm>
#include <cmath>

#include "optim/line_search_internal.h"

namespace espalier::optim {
namespace {

/// The minimum, within [low, high], of the cubic through two points with these slopes: Nocedal and Wright,
/// equation 3.59. The middle where the cubic has none.
double cubic_minimum(const LinePoint& a, const LinePoint& b, double low, double high) {
  const bool ordered = a.step <= b.step;
  const LinePoint &left = ordered ? a : b, &right = ordered ? b : a;
  const double d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.step - b.step);
  const double square = d1 * d1 - a.slope * b.slope;
  if (!(square >= 0)) return (low + high) / 2;
  const double d2 = std::sqrt(square);
  const double minimum =
      right.step - (right.step - left.step) * ((right.slope + d2 - d1) / (right.slope - left.slope + 2 * d2));
  return std::min(std::max(minimum, low), high);
}

}  // namespace

LineSearchResult strong_wolfe(const LineSearch& search, const LinePoint& start, double first_step,
                              double largest, const std::function<LinePoint(double step)>& evaluate) {
  const auto too_high = [&](const LinePoint& p) {
    return p.loss > start.loss + search.sufficient_decrease * p.step * start.slope;
  };
  const auto flat = [&](const LinePoint& p) { return std::abs(p.slope) <= -search.curvature * start.slope; };

  // Go on until two points enclose a step that will do.
  LinePoint previous = start, point = evaluate(first_step);
  int64_t evaluations = 1, rounds = 0;
  bool bracketed = false;
  for (; rounds < search.max_evaluations; ++rounds) {
    if (too_high(point) || (rounds > 1 && point.loss >= previous.loss)) {
      bracketed = true;
      break;
    }
    if (flat(point)) return {point, evaluations};
    if (point.slope >= 0) {
      bracketed = true;
      break;
    }
    const double nearest = point.step + 0.01 * (point.step - previous.step), farthest = 10 * point.step;
    const double next = cubic_minimum(previous, point, nearest, farthest);
    previous = point;
    point = evaluate(next);
    ++evaluations;
  }
  LinePoint bracket[2] = {bracketed ? previous : start, point};

  // Shrink the bracket around it. One end, `low`, has the lowest loss so far.
  size_t low = bracket[0].loss <= bracket[1].loss ? 0 : 1;
  bool slow = false;  // the last trial was close to an end
  while (bracketed && rounds < search.max_evaluations) {
    const auto [from, to] = std::minmax(bracket[0].step, bracket[1].step);
    if (std::abs(bracket[1].step - bracket[0].step) * largest < search.least_change) break;
    double step = cubic_minimum(bracket[0], bracket[1], from, to);
    // A second trial in a row that close to an end is moved a tenth of the bracket inwards.
    const double margin = 0.1 * (to - from);
    if (std::min(to - step, step - from) < margin) {
      if (slow || step >= to || step <= from) {
        step = std::abs(step - to) < std::abs(step - from) ? to - margin : from + margin;
        slow = false;
      } else {
        slow = true;
      }
    } else {
      slow = false;
    }
    point = evaluate(step);
    ++evaluations;
    ++rounds;
    LinePoint &lowest = bracket[low], &other = bracket[1 - low];
    if (too_high(point) || point.loss >= lowest.loss) {
      other = point;
      low = bracket[0].loss <= bracket[1].loss ? 0 : 1;
      continue;
    }
    const bool done = flat(point);
    if (!done && point.slope * (other.step - lowest.step) >= 0) other = lowest;
    lowest = point;
    if (done) break;
  }
  return {bracket[low], evaluations};
}

}  // namespace espalier::optim
