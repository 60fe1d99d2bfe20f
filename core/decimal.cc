#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "core/decimal_internal.h"

namespace espalier {
namespace {

/// |value| = 0.d1d2d3... times ten to the power of `exponent`; no zeros at either end, none at all for 0.
struct Digits {
  std::string digits;
  int exponent;
};

/// Reads `d.ddde+xx`.
Digits parse(std::string_view text) {
  Digits parsed{{}, 0};
  const size_t e = text.find('e');
  for (const char c : text.substr(0, e)) {
    if (c != '.') parsed.digits += c;
  }
  while (!parsed.digits.empty() && parsed.digits.back() == '0') parsed.digits.pop_back();
  // std::from_chars takes no plus.
  parsed.exponent = std::atoi(std::string(text.substr(e + 1)).c_str()) + 1;
  return parsed;
}

/// `digits` significant digits, correctly rounded; as many as it takes where none are given.
template <class F, class... Digit>
Digits formatted(F size, Digit... digits) {
  // The longest: a sign, 767 significant digits of a double, a point and an exponent.
  std::array<char, 800> text;
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), size, std::chars_format::scientific, digits...)
          .ptr;
  return parse(std::string_view(text.data(), static_cast<size_t>(end - text.data())));
}

template <class T>
Digits shortest_digits(T value) {
  if constexpr (std::is_arithmetic_v<T>) {
    return formatted(std::abs(value));
  } else {
    const float size = std::abs(static_cast<float>(value));
    // Nine digits tell all floats apart, so these types need fewer.
    for (int digits = 0; digits < 9; ++digits) {
      const Digits found = formatted(size, digits);
      const float back =
          std::strtof(("0." + found.digits + "e" + std::to_string(found.exponent)).c_str(), nullptr);
      if (static_cast<float>(T(back)) == size) return found;
    }
    return formatted(size);
  }
}

template <class T>
std::string sign(T value) {
  return std::signbit(to_double(value)) ? "-" : "";
}

/// The digits around a point that stands behind the first `before` of them.
DecimalParts around_point(const std::string& sign, const std::string& digits, int before) {
  const auto size = static_cast<int>(digits.size());
  DecimalParts parts;
  for (int i = std::min(before, 0); i < std::max(before, size); ++i) {
    const char digit = i >= 0 && i < size ? digits[static_cast<size_t>(i)] : '0';
    (i < before ? parts.before : parts.behind) += digit;
  }
  parts.before = sign + (parts.before.empty() ? "0" : parts.before);
  return parts;
}

std::string exponent_of(int exponent) {
  std::string digits = std::to_string(std::abs(exponent));
  if (digits.size() < 2) digits.insert(0, 1, '0');
  return (exponent < 0 ? "e-" : "e+") + digits;
}

DecimalParts scientific_parts_of(const std::string& sign, const Digits& number) {
  const bool zero = number.digits.empty();
  DecimalParts parts = around_point(sign, zero ? "0" : number.digits, 1);
  parts.exponent = exponent_of(zero ? 0 : number.exponent - 1);
  return parts;
}

}  // namespace

template <class T>
DecimalParts positional_parts(T value, int precision) {
  Digits found = shortest_digits(value);
  if (static_cast<int>(found.digits.size()) - found.exponent > precision) {
    // Rounded from the number itself: rounding its shortest digits might round twice.
    found = formatted(std::abs(to_double(value)), std::max(found.exponent + precision - 1, 0));
  }
  return found.digits.empty() ? around_point(sign(value), "", 0)
                              : around_point(sign(value), found.digits, found.exponent);
}

template <class T>
DecimalParts scientific_parts(T value, int precision) {
  const Digits found = shortest_digits(value);
  const bool fits = static_cast<int>(found.digits.size()) <= precision + 1;
  return scientific_parts_of(sign(value), fits ? found : formatted(std::abs(to_double(value)), precision));
}

DecimalParts rounded_parts(double value, int digits) {
  DecimalParts parts = scientific_parts_of(sign(value), formatted(std::abs(value), digits));
  parts.behind.resize(static_cast<size_t>(digits), '0');
  return parts;
}

template <class T>
std::string in_full(T value) {
  const Digits found = shortest_digits(value);
  const double size = std::abs(to_double(value));
  constexpr double kLarge = sizeof(T) == 8 ? 1e16 : sizeof(T) == 4 ? 1e6 : 1e3;
  if (size != 0 && (size < 1e-4 || size >= kLarge)) {
    const DecimalParts parts = scientific_parts_of(sign(value), found);
    return parts.before + (parts.behind.empty() ? "" : "." + parts.behind) + parts.exponent;
  }
  const DecimalParts parts =
      around_point(sign(value), found.digits, found.digits.empty() ? 0 : found.exponent);
  return parts.before + "." + (parts.behind.empty() ? "0" : parts.behind);
}

#define ESPALIER_DECIMALS(T)                               \
  template DecimalParts positional_parts<T>(T value, int); \
  template DecimalParts scientific_parts<T>(T value, int); \
  template std::string in_full<T>(T value);
ESPALIER_DECIMALS(double)
ESPALIER_DECIMALS(float)
ESPALIER_DECIMALS(float16)
ESPALIER_DECIMALS(bfloat16)
ESPALIER_DECIMALS(float8_e4m3)
ESPALIER_DECIMALS(float8_e5m2)

}  // namespace espalier
