// Exponential functions and logarithm on vectors of float and double, compiled once per instruction set:
// include it inside a file set up as core/highway_internal.h says, after "hwy/highway.h".
//
// Errors in units in the last place, largest found over 4 million floats and 1 million doubles between the
// infinities: exp 1.0, log 0.9, tanh 2.5, sigmoid 2.4. NaN comes out as NaN, infinities and subnormal numbers
// as the mathematics say. (Highway's own Exp makes 0 of NaN, and its Log finite numbers of 0, negative
// numbers and infinity.) That NaN is kept relies on hn::Min(c, x) and hn::Max(c, x) giving x where x is NaN,
// as they do on x86 and ARM; the tests of the operations look.

#if defined(ESPALIER_VECTOR_MATH_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ESPALIER_VECTOR_MATH_INL_H_
#undef ESPALIER_VECTOR_MATH_INL_H_
#else
#define ESPALIER_VECTOR_MATH_INL_H_
#endif

#include <array>
#include <cstdint>
#include <limits>

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class T>
struct MathConstants;

template <>
struct MathConstants<float> {
  static constexpr int kMantissaBits = 23;
  static constexpr int kBias = 127;
  /// Adding it rounds to an integer, which then stands in the lowest bits.
  static constexpr float kRounder = 0x1.8p23F;
  /// ln 2 in two parts; a product of the first with an exponent is exact.
  static constexpr float kLn2High = 0x1.62E4p-1F, kLn2Low = 0x1.7F7D1Cp-20F;
  /// Beyond these e^x is 0 or infinity.
  static constexpr float kExpLow = -104, kExpHigh = 89;
  /// From here on tanh rounds to 1.
  static constexpr float kTanhOne = 10;
  /// e^r = 1 + r + r^2 (c0 + c1 r + ...) for |r| <= ln 2 / 2, with a relative error of 3.1e-9: minimax, found
  /// with Remez' algorithm.
  static constexpr std::array<float, 5> kExp = {0x1.FFFFFCp-2F, 0x1.555492p-3F, 0x1.5558F2p-5F, 0x1.123A2p-7F,
                                                0x1.6A23Dp-10F};
  static constexpr int kLogTerms = 4;
};

template <>
struct MathConstants<double> {
  static constexpr int kMantissaBits = 52;
  static constexpr int kBias = 1023;
  static constexpr double kRounder = 0x1.8p52;
  static constexpr double kLn2High = 0x1.62E42FEEp-1, kLn2Low = 0x1.A39EF35793C76p-33;
  static constexpr double kExpLow = -746, kExpHigh = 710;
  static constexpr double kTanhOne = 20;
  /// The Taylor series, whose error is 5e-18: double is for checks and need not be short.
  static constexpr std::array<double, 12> kExp = {1.0 / 2,          1.0 / 6,           1.0 / 24,
                                                  1.0 / 120,        1.0 / 720,         1.0 / 5040,
                                                  1.0 / 40320.0,    1.0 / 362880.0,    1.0 / 3628800.0,
                                                  1.0 / 39916800.0, 1.0 / 479001600.0, 1.0 / 6227020800.0};
  static constexpr int kLogTerms = 10;
};

/// e^x = (1 + m) 2^n with |ln(1 + m)| <= ln 2 / 2.
template <class V, class VI>
struct ExpParts {
  V m;
  VI n;
};

/// For x between kExpLow and kExpHigh, or NaN, where m is NaN and n anything. (Cody & Waite's reduction,
/// "Software Manual for the Elementary Functions", 1980.)
template <class D, class V, class VI = hn::Vec<hn::RebindToSigned<D>>>
HWY_INLINE ExpParts<V, VI> exp_parts(D d, V x) {
  using C = MathConstants<hn::TFromD<D>>;
  const hn::RebindToSigned<D> integers;
  const V rounder = hn::Set(d, C::kRounder);
  const V rounded = hn::MulAdd(x, hn::Set(d, static_cast<hn::TFromD<D>>(1.4426950408889634)), rounder);
  const V n = hn::Sub(rounded, rounder);
  const V r = hn::NegMulAdd(n, hn::Set(d, C::kLn2Low), hn::NegMulAdd(n, hn::Set(d, C::kLn2High), x));
  V q = hn::Set(d, C::kExp.back());
  for (size_t i = C::kExp.size() - 1; i-- > 0;) q = hn::MulAdd(q, r, hn::Set(d, C::kExp[i]));
  return {hn::MulAdd(hn::Mul(r, r), q, r),
          hn::Sub(hn::BitCast(integers, rounded), hn::BitCast(integers, rounder))};
}

/// 2^n for n from 1 - bias to bias.
template <class D, class VI>
HWY_INLINE hn::Vec<D> power_of_two(D d, VI n) {
  using C = MathConstants<hn::TFromD<D>>;
  const hn::RebindToSigned<D> integers;
  return hn::BitCast(d, hn::ShiftLeft<C::kMantissaBits>(hn::Add(n, hn::Set(integers, C::kBias))));
}

/// e^x where it is a normal number: |x| up to 87 (float), 708 (double).
template <class D, class V>
HWY_INLINE V vector_exp_normal(D d, V x) {
  using C = MathConstants<hn::TFromD<D>>;
  const hn::RebindToSigned<D> integers;
  const auto e = exp_parts(d, x);
  // Adds n to the exponent of 1 + m, which is near 1.
  const V near_one = hn::Add(e.m, hn::Set(d, hn::TFromD<D>{1}));
  return hn::BitCast(d, hn::Add(hn::BitCast(integers, near_one), hn::ShiftLeft<C::kMantissaBits>(e.n)));
}

/// e^x, also where it is subnormal, 0 or infinite.
template <class D, class V>
HWY_INLINE V vector_exp(D d, V x) {
  using T = hn::TFromD<D>;
  using C = MathConstants<T>;
  const V clamped = hn::Min(hn::Set(d, C::kExpHigh), hn::Max(hn::Set(d, C::kExpLow), x));
  const auto e = exp_parts(d, clamped);
  // 2^n may be too large or small for a number; the powers of both halves of n are not.
  const auto half = hn::ShiftRight<1>(e.n);
  const V near_one = hn::Add(e.m, hn::Set(d, T{1}));
  return hn::Mul(hn::Mul(near_one, power_of_two(d, half)), power_of_two(d, hn::Sub(e.n, half)));
}

/// 1 / (1 + e^-x).
template <class D, class V>
HWY_INLINE V vector_sigmoid(D d, V x) {
  const V one = hn::Set(d, hn::TFromD<D>{1});
  return hn::Div(one, hn::Add(one, vector_exp(d, hn::Neg(x))));
}

/// tanh x = -t / (2 + t) with t = e^(-2 |x|) - 1, and the sign of x.
template <class D, class V>
HWY_INLINE V vector_tanh(D d, V x) {
  using T = hn::TFromD<D>;
  const V magnitude = hn::Min(hn::Set(d, MathConstants<T>::kTanhOne), hn::Abs(x));
  const auto e = exp_parts(d, hn::Mul(magnitude, hn::Set(d, T{-2})));
  const V scale = power_of_two(d, e.n);
  const V t = hn::MulAdd(scale, e.m, hn::Sub(scale, hn::Set(d, T{1})));
  return hn::CopySign(hn::Div(t, hn::Add(t, hn::Set(d, T{2}))), x);
}

/// ln x; -infinity for 0, NaN below.
template <class D, class V>
HWY_INLINE V vector_log(D d, V x) {
  using T = hn::TFromD<D>;
  using C = MathConstants<T>;
  const hn::RebindToSigned<D> integers;
  using VI = hn::Vec<decltype(integers)>;
  const V one = hn::Set(d, T{1});
  // Subnormal numbers are scaled up first.
  const auto subnormal = hn::Lt(x, hn::Set(d, std::numeric_limits<T>::min()));
  constexpr int kScale = C::kMantissaBits + 1;
  const V scale = hn::Set(d, static_cast<T>(int64_t{1} << kScale));
  const VI bits = hn::BitCast(integers, hn::IfThenElse(subnormal, hn::Mul(x, scale), x));
  // x = (1 + f) 2^n with 1 + f from sqrt(1/2) to sqrt(2): n is the exponent of x / sqrt(1/2), rounded down.
  const VI above = hn::Sub(bits, hn::BitCast(integers, hn::Set(d, static_cast<T>(0.70710678118654752))));
  const VI exponent = hn::ShiftRight<C::kMantissaBits>(above);
  const V f = hn::Sub(hn::BitCast(d, hn::Sub(bits, hn::ShiftLeft<C::kMantissaBits>(exponent))), one);
  const V n = hn::Sub(hn::ConvertTo(d, exponent), hn::IfThenElseZero(subnormal, hn::Set(d, T{kScale})));
  // ln(1 + f) = f - s (f - R) with s = f / (2 + f) and R = 2 (s^2/3 + s^4/5 + ...): the series of the inverse
  // hyperbolic tangent, arranged as in fdlibm so that f itself comes in unrounded.
  const V s = hn::Div(f, hn::Add(f, hn::Set(d, T{2})));
  const V s2 = hn::Mul(s, s);
  V r = hn::Set(d, T{2} / T{2 * C::kLogTerms + 1});
  for (int k = C::kLogTerms - 1; k > 0; --k) {
    r = hn::MulAdd(r, s2, hn::Set(d, T{2} / static_cast<T>(2 * k + 1)));
  }
  const V low = hn::NegMulAdd(n, hn::Set(d, C::kLn2Low), hn::Mul(s, hn::NegMulAdd(r, s2, f)));
  const V y = hn::MulAdd(n, hn::Set(d, C::kLn2High), hn::Sub(f, low));

  constexpr T kInfinity = std::numeric_limits<T>::infinity();
  const V finite = hn::IfThenElse(hn::Lt(x, hn::Set(d, kInfinity)), y, x);  // else infinity or NaN
  const V positive = hn::IfThenElse(hn::Eq(x, hn::Zero(d)), hn::Set(d, -kInfinity), finite);
  return hn::IfThenElse(hn::Lt(x, hn::Zero(d)), hn::Set(d, std::numeric_limits<T>::quiet_NaN()), positive);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
