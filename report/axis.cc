#include <algorithm>
#include <charconv>
#include <cmath>

#include "report/axis_internal.h"
#include "report/markup_internal.h"

namespace espalier::report {
namespace {

std::string power_of_ten(int exponent) {
  constexpr const char* kDigits[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
  std::string text = exponent < 0 ? "10⁻" : "10";
  for (const char digit : std::to_string(std::abs(exponent))) text += kDigits[digit - '0'];
  return text;
}

int exponent_of(double value) {
  return static_cast<int>(std::floor(std::log10(value) + 1e-9));
}

std::vector<Tick> linear_ticks(const Range& range, double count) {
  RoundStep step = round_step((range.high - range.low) / std::max(count, 1.0));
  if (range.whole && step.value < 1) step = {1, 0};
  const double first = std::ceil(range.low / step.value - 1e-6);
  const double last = std::floor(range.high / step.value + 1e-6);
  std::vector<double> values;
  const int steps = static_cast<int>(std::clamp(last - first + 1, 0.0, 1000.0));
  values.reserve(static_cast<size_t>(steps) + 1);
  for (int i = 0; i < steps; ++i) values.push_back((first + i) * step.value);
  if (values.empty()) values.push_back(range.low);
  const double largest = std::max(std::abs(values.front()), std::abs(values.back()));
  const bool powers = largest > 0 && (largest >= 1e7 || step.exponent < -4);
  const int exponent = powers ? exponent_of(largest) : 0;
  const int decimals = std::clamp(exponent - step.exponent, 0, 12);
  std::vector<Tick> ticks;
  for (const double value : values) {
    // A power of ten may itself overflow or vanish where the value is near the ends of what doubles hold.
    const double mantissa = value / std::pow(10, exponent / 2) / std::pow(10, exponent - exponent / 2);
    const bool zero = std::abs(value) < step.value / 2;
    ticks.push_back({value, zero     ? "0"
                            : powers ? plain(mantissa, decimals) + "×" + power_of_ten(exponent)
                                     : plain(value, decimals)});
  }
  return ticks;
}

std::vector<Tick> log_ticks(const Range& range, double count) {
  const double low = std::log10(range.low), high = std::log10(range.high);
  const int first = static_cast<int>(std::ceil(low - 1e-9)), last = static_cast<int>(std::floor(high + 1e-9));
  struct Place {
    int mantissa, exponent;
  };
  std::vector<Place> places;
  if (last - first >= 2) {
    const int stride = std::max(1, static_cast<int>(std::ceil((last - first + 1) / std::max(count, 1.0))));
    // A stride counts from 10^0, so that neighbouring figures agree.
    for (int e = first; e <= last; ++e)
      if (e % stride == 0) places.push_back({1, e});
  } else {
    for (int e = first - 1; e <= last; ++e)
      for (const int mantissa : {1, 2, 5}) {
        const double at = e + std::log10(mantissa);
        if (at >= low - 1e-9 && at <= high + 1e-9) places.push_back({mantissa, e});
      }
  }
  if (places.size() < 2) return linear_ticks(range, count);
  const bool powers = places.front().exponent < -3 || places.back().exponent > 5;
  std::vector<Tick> ticks;
  for (const auto& [mantissa, exponent] : places) {
    const double value = mantissa * std::pow(10, exponent);
    const std::string factor = mantissa == 1 ? "" : std::to_string(mantissa) + "×";
    ticks.push_back({value, powers ? factor + power_of_ten(exponent) : plain(value, std::max(0, -exponent))});
  }
  return ticks;
}

}  // namespace

bool Range::shows(double value) const {
  return std::isfinite(value) && std::abs(value) <= kMaxValue &&
         (scale == Scale::linear || value >= 1 / kMaxValue);
}

void Range::add(double value) {
  if (!shows(value)) return;
  low = empty ? value : std::min(low, value);
  high = empty ? value : std::max(high, value);
  whole = whole && value == std::floor(value);
  empty = false;
}

void Range::widen() {
  whole = whole && !empty;
  if (empty) {
    low = scale == Scale::log ? 0.1 : 0;
    high = 1;
    return;
  }
  // Differences near what doubles resolve are no differences.
  const double size = std::max(std::abs(low), std::abs(high));
  if (high - low > std::max(1e-9 * size, 1e-290)) return;
  if (scale == Scale::log) {
    low /= 2;
    high *= 2;
  } else {
    const double room = size > 1e-290 ? size / 2 : 1;
    low -= room;
    high += room;
  }
}

void Range::pad() {
  const double before = high - low;
  widen();
  if (empty || high - low != before) return;
  if (scale == Scale::log) {
    const double room = std::pow(high / low, 0.04);
    low /= room;
    high *= room;
    return;
  }
  const bool from_zero = low >= 0 && low <= 0.3 * high;
  const double room = 0.05 * (high - low);
  low = from_zero ? 0 : low - room;
  high += room;
}

RoundStep round_step(double step) {
  int exponent = static_cast<int>(std::floor(std::log10(step)));
  const double scaled = step / std::pow(10, exponent / 2) / std::pow(10, exponent - exponent / 2);
  int factor = scaled <= 1.0001 ? 1 : scaled <= 2.0001 ? 2 : scaled <= 5.0001 ? 5 : 10;
  if (factor == 10) {
    factor = 1;
    ++exponent;
  }
  return {factor * std::pow(10, exponent), exponent};
}

std::vector<Tick> ticks(const Range& range, double count) {
  return range.scale == Scale::log ? log_ticks(range, count) : linear_ticks(range, count);
}

Axis::Axis(const Range& range, double begin, double end)
    : log_(range.scale == Scale::log),
      low_(log_ ? std::log10(range.low) : range.low),
      begin_(begin),
      factor_((end - begin) / ((log_ ? std::log10(range.high) : range.high) - low_)) {}

double Axis::at(double value) const {
  return begin_ + ((log_ ? std::log10(value) : value) - low_) * factor_;
}

std::string plain(double value, int decimals) {
  char text[400];
  const auto [end, error] =
      std::to_chars(text, text + sizeof text, std::abs(value), std::chars_format::fixed, decimals);
  std::string digits(text, end);
  const size_t point = std::min(digits.find('.'), digits.size());
  for (size_t at = point; at > 3;) digits.insert(at -= 3, ",");
  return (value < 0 ? "−" : "") + digits;
}

}  // namespace espalier::report
