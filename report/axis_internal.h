#pragma once

#include <string>
#include <vector>

#include "report/svg.h"

namespace espalier::report {

/// Values beyond this count as infinite, so that differences of two do not overflow, and those under its
/// inverse as nothing on a log scale.
inline constexpr double kMaxValue = 1e300;

/// What values span, those that a scale cannot show left out.
struct Range {
  Scale scale = Scale::linear;
  bool empty = true;
  bool whole = true;  ///< all are whole numbers
  double low = 0, high = 1;

  bool shows(double value) const;
  void add(double value);
  /// Room around the values: they do not touch the frame, and an axis near zero begins there.
  void pad();
  /// Makes a range of a single value (or of none) one that an axis can have.
  void widen();
};

struct Tick {
  double value;
  std::string label;
};

/// About `count` round numbers of the range, at least one, their labels alike in decimals.
std::vector<Tick> ticks(const Range& range, double count);

/// The least number of the form 1, 2 or 5 times 10^exponent that is at least `step`.
struct RoundStep {
  double value;
  int exponent;
};
RoundStep round_step(double step);

/// Where values lie between two places of the figure.
class Axis {
 public:
  Axis(const Range& range, double begin, double end);
  double at(double value) const;

 private:
  bool log_;
  double low_, begin_, factor_;
};

/// `12,345.5`, with a minus sign and commas.
std::string plain(double value, int decimals);

}  // namespace espalier::report
