#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "core/philox.h"

namespace espalier {

// Normal numbers from uniform words, bit for bit the same on every device: each step below is one IEEE
// operation (add, multiply, fused multiply-add, square root, conversion) rounded to nearest, with contraction
// off. core/philox.cc has the same steps on vectors.

namespace detail {

// Polynomials in Horner order, highest power first; minimax by the exchange method in 50 digits, relative to
// the function. log(1 + f) = f - f^2 / 2 + f^3 P(f) on [sqrt(1/2) - 1, sqrt(2) - 1], error 2^-30.3.
inline constexpr float kLog[] = {0.067466341F,  -0.116756454F, 0.11888162F,   -0.1240559F, 0.142195523F,
                                 -0.166679963F, 0.200021192F,  -0.250000089F, 0.333333135F};
// sin(a) = a + a^3 P(a^2) on [-pi/4, pi/4], error 2^-28.0.
inline constexpr float kSin[] = {-0.000195152825F, 0.0083321603F, -0.166666552F};
// cos(a) = 1 - a^2 / 2 + a^4 P(a^2) there, error 2^-33.0.
inline constexpr float kCos[] = {2.44331568e-05F, -0.00138873165F, 0.0416666456F};

// log 2 in two parts; the first has 9 bits, so that its product with an exponent is exact.
inline constexpr float kLog2High = 0.693359375F;
inline constexpr float kLog2Low = -2.12194440e-4F;
inline constexpr uint32_t kSqrtHalfBits = 0x3F3504F3;      // of float(sqrt(1/2))
inline constexpr float kRadiansPerStep = 0x1.921fb6p-30F;  // 2 pi / 2^32

template <int kCount>
constexpr float polynomial(const float (&coefficients)[kCount], float x) {
  float sum = coefficients[0];
  for (int i = 1; i < kCount; ++i) sum = std::fma(sum, x, coefficients[i]);
  return sum;
}

}  // namespace detail

/// (word + 1/2) / 2^32 rounded to float: in [2^-33, 1], never zero.
constexpr float philox_uniform_above_zero(uint32_t word) {
  const float high = static_cast<float>(static_cast<int32_t>(word >> 8));
  const float low = static_cast<float>(static_cast<int32_t>(word & 0xFF));
  return std::fma(high, 0x1p-24F, std::fma(low, 0x1p-32F, 0x1p-33F));
}

/// Natural logarithm of a positive normal number. Within 0.83 units in the last place for the values of
/// philox_uniform_above_zero.
constexpr float portable_log(float x) {
  const uint32_t bits = std::bit_cast<uint32_t>(x);
  const int32_t exponent = static_cast<int32_t>(bits - detail::kSqrtHalfBits) >> 23;
  const float f = std::bit_cast<float>(bits - (static_cast<uint32_t>(exponent) << 23)) - 1.0F;
  const float e = static_cast<float>(exponent);
  const float square = f * f;
  float sum = square * f * detail::polynomial(detail::kLog, f);
  sum = std::fma(e, detail::kLog2Low, sum);
  sum = std::fma(-0.5F, square, sum);
  return std::fma(e, detail::kLog2High, f + sum);
}

struct SineCosine {
  float sine;
  float cosine;
};

/// Sine and cosine of the angle 2 pi * turn / 2^32. Within 2.8 units in the last place.
constexpr SineCosine portable_sincos(uint32_t turn) {
  const uint32_t quadrant = (turn + 0x20000000U) >> 30;
  const float angle =
      static_cast<float>(static_cast<int32_t>(turn - (quadrant << 30))) * detail::kRadiansPerStep;
  const float square = angle * angle;
  const float s = std::fma(angle * square, detail::polynomial(detail::kSin, square), angle);
  const float c =
      std::fma(square * square, detail::polynomial(detail::kCos, square), std::fma(-0.5F, square, 1.0F));
  const bool swap = (quadrant & 1) != 0;
  const uint32_t sine = std::bit_cast<uint32_t>(swap ? c : s) ^ ((quadrant & 2) << 30);
  const uint32_t cosine = std::bit_cast<uint32_t>(swap ? s : c) ^ (((quadrant + 1) & 2) << 30);
  return {std::bit_cast<float>(sine), std::bit_cast<float>(cosine)};
}

struct NormalPair {
  float first;
  float second;
};

/// Two independent normal numbers from two words (G. Box, M. Muller, 1958): radius sqrt(-2 log u) from the
/// first, angle from the second. Between -6.77 and 6.77.
constexpr NormalPair box_muller(uint32_t radius_word, uint32_t angle_word) {
  const float radius = std::sqrt(-2.0F * portable_log(philox_uniform_above_zero(radius_word)));
  const SineCosine direction = portable_sincos(angle_word);
  return {radius * direction.cosine, radius * direction.sine};
}

/// Normal number `element` of the stream (seed, offset): each pair of elements comes from the pair of words
/// in the same place.
constexpr float philox_normal(uint64_t seed, uint64_t offset, uint64_t element) {
  const PhiloxBlock block = philox_block(seed, offset + element / 4);
  const uint64_t lane = element % 4 & ~uint64_t{1};
  const NormalPair pair = box_muller(block.word[lane], block.word[lane + 1]);
  return element % 2 == 0 ? pair.first : pair.second;
}

}  // namespace espalier
