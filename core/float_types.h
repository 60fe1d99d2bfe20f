#pragma once

#include <bit>
#include <cstdint>
#include <type_traits>

#include "core/export.h"

namespace espalier {

namespace detail {

// A small float of one sign bit, `kExponentBits` and `kMantissaBits`. Magnitudes, as bits: what overflows
// becomes kCeiling (infinity, or the largest number), those from kSpecial on are infinity or NaN. The steps
// are branch-free integer and exact float arithmetic, so that a loop over them can be vectorised (GCC: with
// -fno-trapping-math); int32_t throughout, because magnitudes fit and SSE2 compares signed numbers only.
template <int kExponentBits, int kMantissaBits, int32_t kCeiling, int32_t kSpecial, int32_t kNan>
struct SmallFloat {
  static constexpr int kShift = 23 - kMantissaBits;
  static constexpr int32_t kRebias = (127 - ((1 << (kExponentBits - 1)) - 1))
                                     << 23;  // between the exponents, in float bits
  static constexpr int32_t kSmallestNormal = kRebias + (1 << 23);
  static constexpr int kSignShift = 31 - kExponentBits - kMantissaBits;

  // Rounds to the nearest, ties to even.
  static constexpr uint32_t encode(float value) {
    const uint32_t bits = std::bit_cast<uint32_t>(value);
    const int32_t magnitude = static_cast<int32_t>(bits & 0x7FFFFFFF);
    const int32_t odd = (magnitude >> kShift) & 1;
    const int32_t clipped =
        magnitude < 0x7F800000 ? magnitude : 0x7F800000;  // the sum below must not overflow
    const int32_t normal = (clipped - kRebias + ((1 << (kShift - 1)) - 1) + odd) >> kShift;
    // Adding a power of two whose last place is the smallest subnormal rounds to a multiple of that.
    constexpr int32_t kMagic = kSmallestNormal + (kShift << 23);
    const float shifted = std::bit_cast<float>(magnitude) + std::bit_cast<float>(kMagic);
    const int32_t subnormal = std::bit_cast<int32_t>(shifted) - kMagic;
    int32_t result = magnitude < kSmallestNormal ? subnormal : normal;
    result = result < kCeiling ? result : kCeiling;
    result = magnitude > 0x7F800000 ? kNan : result;
    return static_cast<uint32_t>(result) | ((bits & 0x80000000) >> kSignShift);
  }

  // Exact.
  static constexpr float decode(uint32_t bits) {
    constexpr uint32_t kSign = 0x80000000U >> kSignShift;
    const int32_t magnitude = static_cast<int32_t>(bits & (kSign - 1));
    const int32_t wide = magnitude << kShift;
    const float subnormal =
        std::bit_cast<float>(wide + kSmallestNormal) - std::bit_cast<float>(kSmallestNormal);
    int32_t result = wide < (1 << 23) ? std::bit_cast<int32_t>(subnormal) : wide + kRebias;
    result = magnitude >= kSpecial ? (wide | 0x7F800000) : result;
    return std::bit_cast<float>(static_cast<uint32_t>(result) | ((bits & kSign) << kSignShift));
  }
};

using Float16Format = SmallFloat<5, 10, 0x7C00, 0x7C00, 0x7E00>;
using E5m2Format = SmallFloat<5, 2, 0x7C, 0x7C, 0x7F>;
using E4m3Format = SmallFloat<4, 3, 0x7E, 0x7F, 0x7F>;

}  // namespace detail

// Storage types: they convert from and to float explicitly and compute nothing. Conversion to float is exact;
// from float it rounds to the nearest, ties to even, with subnormals, as PyTorch does. Comparison is that of
// the float values: NaN equals nothing, -0 equals 0. The constructor from float takes double with the
// double's rounding to float first.

/// The upper half of a float: 8 exponent bits, 7 mantissa bits. Every NaN becomes 0x7FC0.
struct bfloat16 {
  uint16_t bits;

  bfloat16() = default;
  explicit constexpr bfloat16(float value) : bits(encode(value)) {}
  static constexpr bfloat16 from_bits(uint16_t bits) {
    bfloat16 result(0.0F);
    result.bits = bits;
    return result;
  }
  explicit constexpr operator float() const { return std::bit_cast<float>(uint32_t{bits} << 16); }
  friend constexpr bool operator==(bfloat16 a, bfloat16 b) {
    return static_cast<float>(a) == static_cast<float>(b);
  }

 private:
  static constexpr uint16_t encode(float value) {
    const uint32_t wide = std::bit_cast<uint32_t>(value);
    const uint32_t rounded = (wide + 0x7FFF + ((wide >> 16) & 1)) >> 16;
    return static_cast<uint16_t>((wide & 0x7FFFFFFF) > 0x7F800000 ? 0x7FC0 : rounded);
  }
};

/// IEEE 754 binary16: 5 exponent bits, 10 mantissa bits, largest 65504. From 65520 on in magnitude: infinity.
/// NaN: 0x7E00 and the sign.
struct float16 {
  uint16_t bits;

  float16() = default;
  explicit constexpr float16(float value)
      : bits(static_cast<uint16_t>(detail::Float16Format::encode(value))) {}
  static constexpr float16 from_bits(uint16_t bits) {
    float16 result(0.0F);
    result.bits = bits;
    return result;
  }
  explicit constexpr operator float() const { return detail::Float16Format::decode(bits); }
  friend constexpr bool operator==(float16 a, float16 b) {
    return static_cast<float>(a) == static_cast<float>(b);
  }
};

/// OCP 8-bit E4M3 (OCP OFP8 1.0; PyTorch's float8_e4m3fn): 4 exponent bits, 3 mantissa bits, largest 448, no
/// infinities. What is beyond 448, infinities included, becomes 448 with the sign, as in PyTorch 2.15's
/// `.to()` (before, PyTorch made NaN of it). NaN: 0x7F and the sign.
struct float8_e4m3 {
  uint8_t bits;

  float8_e4m3() = default;
  explicit constexpr float8_e4m3(float value)
      : bits(static_cast<uint8_t>(detail::E4m3Format::encode(value))) {}
  static constexpr float8_e4m3 from_bits(uint8_t bits) {
    float8_e4m3 result(0.0F);
    result.bits = bits;
    return result;
  }
  explicit constexpr operator float() const { return detail::E4m3Format::decode(bits); }
  friend constexpr bool operator==(float8_e4m3 a, float8_e4m3 b) {
    return static_cast<float>(a) == static_cast<float>(b);
  }
};

/// OCP 8-bit E5M2 (PyTorch's float8_e5m2): 5 exponent bits, 2 mantissa bits, largest 57344. From 61440 on in
/// magnitude: infinity. NaN: 0x7F and the sign.
struct float8_e5m2 {
  uint8_t bits;

  float8_e5m2() = default;
  explicit constexpr float8_e5m2(float value)
      : bits(static_cast<uint8_t>(detail::E5m2Format::encode(value))) {}
  static constexpr float8_e5m2 from_bits(uint8_t bits) {
    float8_e5m2 result(0.0F);
    result.bits = bits;
    return result;
  }
  explicit constexpr operator float() const { return detail::E5m2Format::decode(bits); }
  friend constexpr bool operator==(float8_e5m2 a, float8_e5m2 b) {
    return static_cast<float>(a) == static_cast<float>(b);
  }
};

static_assert(sizeof(bfloat16) == 2 && sizeof(float16) == 2 && sizeof(float8_e4m3) == 1 &&
              sizeof(float8_e5m2) == 1);
static_assert(std::is_trivially_copyable_v<bfloat16> && std::is_trivially_copyable_v<float16> &&
              std::is_trivially_copyable_v<float8_e4m3> && std::is_trivially_copyable_v<float8_e5m2>);
static_assert(std::is_trivial_v<bfloat16> && std::is_trivial_v<float16> && std::is_trivial_v<float8_e4m3> &&
              std::is_trivial_v<float8_e5m2>);

/// Converts `count` elements, as the constructors and casts above do; vectorised, single-threaded. The ranges
/// must not overlap.
ESPALIER_API void convert(const bfloat16* from, float* to, int64_t count);
ESPALIER_API void convert(const float16* from, float* to, int64_t count);
ESPALIER_API void convert(const float8_e4m3* from, float* to, int64_t count);
ESPALIER_API void convert(const float8_e5m2* from, float* to, int64_t count);
ESPALIER_API void convert(const float* from, bfloat16* to, int64_t count);
ESPALIER_API void convert(const float* from, float16* to, int64_t count);
ESPALIER_API void convert(const float* from, float8_e4m3* to, int64_t count);
ESPALIER_API void convert(const float* from, float8_e5m2* to, int64_t count);

}  // namespace espalier
