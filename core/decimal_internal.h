#pragma once

#include <string>
#include <type_traits>

#include "core/float_types.h"

namespace espalier {

// Numbers as decimals: with the fewest digits that tell a number from its neighbours of the same type.

template <class T>
double to_double(T value) {
  if constexpr (std::is_arithmetic_v<T>)
    return static_cast<double>(value);
  else
    return static_cast<double>(static_cast<float>(value));
}

/// A decimal around its point: `-12` and `5`, without zeros at the end; `e+07`.
struct DecimalParts {
  std::string before, behind, exponent;
};

// T: double, float or a narrower floating type; finite. At most `precision` digits stand behind the point.

template <class T>
DecimalParts positional_parts(T value, int precision);
template <class T>
DecimalParts scientific_parts(T value, int precision);
/// Scientific with that many digits behind the point, zeros included.
DecimalParts rounded_parts(double value, int digits);
/// All its digits: `0.1`, `100.0`, `1e-05`; scientific below 1e-4, and from 1e16 on (1e6 in f32, 1e3 in
/// narrower types), as NumPy 2.4 prints numbers.
template <class T>
std::string in_full(T value);

}  // namespace espalier
