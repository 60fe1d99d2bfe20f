// Exponential functions and logarithms on vectors of float and double, compiled once per instruction set:
// include it inside a file set up as core/highway_internal.h says, after "hwy/highway.h".
//
// Errors in units in the last place, largest found over 4 million floats and 1 million doubles between the
// infinities: exp 1.0, exp2 1.1, expm1 1.9, log 0.9, log1p 1.6, log2 1.9, log10 2.1, tanh 2.5, sigmoid 2.4.
// NaN comes out as NaN, infinities and subnormal numbers as the mathematics say. (Highway's own Exp
// makes 0 of NaN, and its Log finite numbers of 0, negative numbers and infinity.) That NaN is kept relies on
// hn::Min(c, x) and hn::Max(c, x) giving x where x is NaN, as they do on x86 and ARM; the tests of the
// operations look.

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
  /// log10 2 in two parts, likewise.
  static constexpr float kLog10Of2High = 0x1.344p-2F, kLog10Of2Low = 0x1.3509F8p-18F;
  /// Beyond these e^x is 0 or infinity.
  static constexpr float kExpLow = -104, kExpHigh = 89;
  /// Beyond these 2^x is 0 or infinity.
  static constexpr float kExp2Low = -151, kExp2High = 129;
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
  static constexpr double kLog10Of2High = 0x1.34413509Fp-2, kLog10Of2Low = 0x1.E7FBCC47C4ACDp-40;
  static constexpr double kExpLow = -746, kExpHigh = 710;
  static constexpr double kExp2Low = -1076, kExp2High = 1025;
  static constexpr double kTanhOne = 20;
  /// The Taylor series, whose error is 5e-18: double is for checks and need not be short.
  static constexpr std::array<double, 12> kExp = {1.0 / 2,          1.0 / 6,           1.0 / 24,
                                                  1.0 / 120,        1.0 / 720,         1.0 / 5040,
                                                  1.0 / 40320.0,    1.0 / 362880.0,    1.0 / 3628800.0,
                                                  1.0 / 39916800.0, 1.0 / 479001600.0, 1.0 / 6227020800.0};
  static constexpr int kLogTerms = 10;
};

/// The polynomial c0 + c1 x + ....
template <class D, class V, class T, size_t n>
HWY_INLINE V polynomial(D d, V x, const std::array<T, n>& c) {
  V y = hn::Set(d, c[n - 1]);
  for (size_t i = n - 1; i-- > 0;) y = hn::MulAdd(y, x, hn::Set(d, c[i]));
  return y;
}

/// e^x = (1 + m) 2^n with |ln(1 + m)| <= ln 2 / 2.
template <class V, class VI>
struct ExpParts {
  V m;
  VI n;
};

/// e^r - 1 for |r| <= ln 2 / 2.
template <class D, class V>
HWY_INLINE V exp_remainder(D d, V r) {
  using C = MathConstants<hn::TFromD<D>>;
  return hn::MulAdd(hn::Mul(r, r), polynomial(d, r, C::kExp), r);
}

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
  return {exp_remainder(d, r), hn::Sub(hn::BitCast(integers, rounded), hn::BitCast(integers, rounder))};
}

/// The same of 2^x, for x between kExp2Low and kExp2High, or NaN.
template <class D, class V, class VI = hn::Vec<hn::RebindToSigned<D>>>
HWY_INLINE ExpParts<V, VI> exp2_parts(D d, V x) {
  using T = hn::TFromD<D>;
  const hn::RebindToSigned<D> integers;
  const V rounder = hn::Set(d, MathConstants<T>::kRounder);
  const V rounded = hn::Add(x, rounder);
  const V r = hn::Mul(hn::Sub(x, hn::Sub(rounded, rounder)), hn::Set(d, static_cast<T>(0.69314718055994531)));
  return {exp_remainder(d, r), hn::Sub(hn::BitCast(integers, rounded), hn::BitCast(integers, rounder))};
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

/// (1 + m) 2^n, also where it is subnormal, 0 or infinite.
template <class D, class V, class VI>
HWY_INLINE V assembled(D d, const ExpParts<V, VI>& e) {
  // 2^n may be too large or small for a number; the powers of both halves of n are not.
  const auto half = hn::ShiftRight<1>(e.n);
  const V near_one = hn::Add(e.m, hn::Set(d, hn::TFromD<D>{1}));
  return hn::Mul(hn::Mul(near_one, power_of_two(d, half)), power_of_two(d, hn::Sub(e.n, half)));
}

/// e^x, also where it is subnormal, 0 or infinite.
template <class D, class V>
HWY_INLINE V vector_exp(D d, V x) {
  using C = MathConstants<hn::TFromD<D>>;
  return assembled(d, exp_parts(d, hn::Min(hn::Set(d, C::kExpHigh), hn::Max(hn::Set(d, C::kExpLow), x))));
}

/// 2^x, likewise.
template <class D, class V>
HWY_INLINE V vector_exp2(D d, V x) {
  using C = MathConstants<hn::TFromD<D>>;
  return assembled(d, exp2_parts(d, hn::Min(hn::Set(d, C::kExp2High), hn::Max(hn::Set(d, C::kExp2Low), x))));
}

/// e^x - 1.
template <class D, class V>
HWY_INLINE V vector_expm1(D d, V x) {
  using T = hn::TFromD<D>;
  using C = MathConstants<T>;
  const hn::RebindToSigned<D> integers;
  // Below, e^x rounds away beside 1.
  const V low = hn::Set(d, T{-C::kMantissaBits});
  const auto e = exp_parts(d, hn::Min(hn::Set(d, C::kExpHigh), hn::Max(low, x)));
  // m 2^n + (2^n - 1), halved: 2^n may be too large for a number.
  const V half = power_of_two(d, hn::Sub(e.n, hn::Set(integers, 1)));
  const V y = hn::MulAdd(half, e.m, hn::Sub(half, hn::Set(d, T{0.5})));
  // Halving would cost subnormal numbers their last bit, and -0 its sign.
  const V small = hn::Set(d, std::numeric_limits<T>::epsilon() / 4);
  return hn::IfThenElse(hn::Lt(hn::Abs(x), small), x, hn::Add(y, y));
}

/// e^x - 1 for x <= 0.
template <class D, class V>
HWY_INLINE V vector_expm1_negative(D d, V x) {
  using T = hn::TFromD<D>;
  const auto e = exp_parts(d, hn::Max(hn::Set(d, T{-MathConstants<T>::kMantissaBits}), x));
  const V scale = power_of_two(d, e.n);
  return hn::CopySign(hn::MulAdd(scale, e.m, hn::Sub(scale, hn::Set(d, T{1}))), x);
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

/// ln x = n ln 2 + (f - low), with 1 + f from sqrt(1/2) to sqrt(2).
template <class V>
struct LogParts {
  V f, low, n;
};

/// x = (1 + f) 2^n for a positive normal number.
template <class V, class VI>
struct LogSplit {
  V f;
  VI n;
};
template <class D, class V, class VI = hn::Vec<hn::RebindToSigned<D>>>
HWY_INLINE LogSplit<V, VI> log_split(D d, V x) {
  using T = hn::TFromD<D>;
  using C = MathConstants<T>;
  const hn::RebindToSigned<D> integers;
  const VI bits = hn::BitCast(integers, x);
  // n is the exponent of x / sqrt(1/2), rounded down.
  const VI above = hn::Sub(bits, hn::BitCast(integers, hn::Set(d, static_cast<T>(0.70710678118654752))));
  const VI n = hn::ShiftRight<C::kMantissaBits>(above);
  const VI scaled = hn::Sub(bits, hn::ShiftLeft<C::kMantissaBits>(n));
  return {hn::Sub(hn::BitCast(d, scaled), hn::Set(d, T{1})), n};
}

/// f - ln(1 + f) = s (f - R) with s = f / (2 + f) and R = 2 (s^2/3 + s^4/5 + ...): the series of the inverse
/// hyperbolic tangent, arranged as in fdlibm so that f itself comes in unrounded.
template <class D, class V>
HWY_INLINE V log_low(D d, V f) {
  using T = hn::TFromD<D>;
  constexpr int kTerms = MathConstants<T>::kLogTerms;
  const V s = hn::Div(f, hn::Add(f, hn::Set(d, T{2})));
  const V s2 = hn::Mul(s, s);
  V r = hn::Set(d, T{2} / T{2 * kTerms + 1});
  for (int k = kTerms - 1; k > 0; --k) {
    r = hn::MulAdd(r, s2, hn::Set(d, T{2} / static_cast<T>(2 * k + 1)));
  }
  return hn::Mul(s, hn::NegMulAdd(r, s2, f));
}

/// Of a positive number.
template <class D, class V>
HWY_INLINE LogParts<V> log_parts(D d, V x) {
  using T = hn::TFromD<D>;
  // Subnormal numbers are scaled up first.
  const auto subnormal = hn::Lt(x, hn::Set(d, std::numeric_limits<T>::min()));
  constexpr int kScale = MathConstants<T>::kMantissaBits + 1;
  const V scale = hn::Set(d, static_cast<T>(int64_t{1} << kScale));
  const auto split = log_split(d, hn::IfThenElse(subnormal, hn::Mul(x, scale), x));
  const V n = hn::Sub(hn::ConvertTo(d, split.n), hn::IfThenElseZero(subnormal, hn::Set(d, T{kScale})));
  return {split.f, log_low(d, split.f), n};
}

/// `y`, which is the logarithm of x for positive numbers; -infinity for 0, NaN below.
template <class D, class V>
HWY_INLINE V log_at_extremes(D d, V x, V y) {
  using T = hn::TFromD<D>;
  constexpr T kInfinity = std::numeric_limits<T>::infinity();
  const V finite = hn::IfThenElse(hn::Lt(x, hn::Set(d, kInfinity)), y, x);  // else infinity or NaN
  const V positive = hn::IfThenElse(hn::Eq(x, hn::Zero(d)), hn::Set(d, -kInfinity), finite);
  return hn::IfThenElse(hn::Lt(x, hn::Zero(d)), hn::Set(d, std::numeric_limits<T>::quiet_NaN()), positive);
}

/// The natural logarithm from its parts.
template <class D, class V>
HWY_INLINE V natural_log(D d, const LogParts<V>& parts) {
  using C = MathConstants<hn::TFromD<D>>;
  const V low = hn::NegMulAdd(parts.n, hn::Set(d, C::kLn2Low), parts.low);
  return hn::MulAdd(parts.n, hn::Set(d, C::kLn2High), hn::Sub(parts.f, low));
}

/// ln x; -infinity for 0, NaN below.
template <class D, class V>
HWY_INLINE V vector_log(D d, V x) {
  return log_at_extremes(d, x, natural_log(d, log_parts(d, x)));
}

/// The binary logarithm, likewise; exact for powers of two.
template <class D, class V>
HWY_INLINE V vector_log2(D d, V x) {
  using T = hn::TFromD<D>;
  const auto parts = log_parts(d, x);
  const V scale = hn::Set(d, static_cast<T>(1.4426950408889634));
  return log_at_extremes(d, x, hn::MulAdd(hn::Sub(parts.f, parts.low), scale, parts.n));
}

/// The decimal logarithm, likewise.
template <class D, class V>
HWY_INLINE V vector_log10(D d, V x) {
  using T = hn::TFromD<D>;
  using C = MathConstants<T>;
  const auto parts = log_parts(d, x);
  const V scale = hn::Set(d, static_cast<T>(0.43429448190325183));
  const V low = hn::MulAdd(hn::Sub(parts.f, parts.low), scale, hn::Mul(parts.n, hn::Set(d, C::kLog10Of2Low)));
  return log_at_extremes(d, x, hn::MulAdd(parts.n, hn::Set(d, C::kLog10Of2High), low));
}

/// ln(1 + x) for x from above -1 to the largest number. NaN stays, the sign of 0 does not.
template <class D, class V>
HWY_INLINE V log1p_finite(D d, V x) {
  using T = hn::TFromD<D>;
  const hn::RebindToSigned<D> integers;
  const V one = hn::Set(d, T{1});
  const V u = hn::Add(x, one);
  const auto split = log_split(d, u);
  // What rounding took from u goes into f. Where 2^-n is subnormal, it does not matter.
  const V rest = hn::Sub(x, hn::Sub(u, one));
  const auto back = hn::Max(hn::Neg(split.n), hn::Set(integers, 1 - MathConstants<T>::kBias));
  const V f = hn::MulAdd(rest, power_of_two(d, back), split.f);
  return natural_log(d, LogParts<V>{f, log_low(d, f), hn::ConvertTo(d, split.n)});
}

/// ln(1 + x); -infinity for -1, NaN below.
template <class D, class V>
HWY_INLINE V vector_log1p(D d, V x) {
  const V u = hn::Add(x, hn::Set(d, hn::TFromD<D>{1}));
  return hn::CopySign(log_at_extremes(d, u, log1p_finite(d, x)), x);
}

/// ln(1 + e^-|x|), which lies between 0 and ln 2: what softplus adds to max(x, 0).
template <class D, class V>
HWY_INLINE V softplus_rest(D d, V x) {
  return log1p_finite(d, vector_exp(d, hn::Neg(hn::Abs(x))));
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
