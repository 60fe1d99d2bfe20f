// Sine, cosine and tangent on vectors of float and double, compiled once per instruction set: include it
// inside a file set up as core/highway_internal.h says, after "hwy/highway.h". Errors in units in the last
// place, found as in vector_math-inl.h over angles up to 1e7: sin 2.2, cos 2.3, tan 3.4.

#if defined(ESPALIER_VECTOR_TRIGONOMETRY_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ESPALIER_VECTOR_TRIGONOMETRY_INL_H_
#undef ESPALIER_VECTOR_TRIGONOMETRY_INL_H_
#else
#define ESPALIER_VECTOR_TRIGONOMETRY_INL_H_
#endif

#include <array>
#include <cmath>

#include "ops/vector_math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {

template <class T>
struct TrigonometryConstants;

template <>
struct TrigonometryConstants<float> {
  /// Up to here the multiple of pi/2 that is taken off has at most 13 bits.
  static constexpr float kFar = 12800;
  /// pi/2 in parts; products of all but the last with such a multiple are exact, also without fused
  /// multiply-adds (11 bits + 13 bits).
  static constexpr std::array<float, 4> kHalfPi = {0x1.92p+0F, 0x1.FB4p-12F, 0x1.444p-24F, 0x1.68C234p-39F};
  /// sin r = r + r^3 (c0 + c1 r^2 + ...) for |r| <= pi/4, with a relative error of 1.3e-8; cos r = 1 - r^2/2
  /// + r^4 (c0 + ...), with an error of 8e-10. Both interpolate in Chebyshev's points.
  static constexpr std::array<float, 3> kSine = {-0x1.555552p-3F, 0x1.110C28p-7F, -0x1.9AC98Ep-13F};
  static constexpr std::array<float, 3> kCosine = {0x1.555554p-5F, -0x1.6C12D2p-10F, 0x1.9BD880p-16F};
};

template <>
struct TrigonometryConstants<double> {
  /// 20 bits, and 33 bits in the parts.
  static constexpr double kFar = 1e6;
  static constexpr std::array<double, 4> kHalfPi = {0x1.921FB544p+0, 0x1.0B4611A6p-34, 0x1.3198A2Ep-69,
                                                    0x1.B839A252p-104};
  /// Errors of 1.3e-17 and 5e-19.
  static constexpr std::array<double, 6> kSine = {-0x1.5555555555555p-3,  0x1.1111111110BB2p-7,
                                                  -0x1.A01A019E83816p-13, 0x1.71DE379654304p-19,
                                                  -0x1.AE600ACA92C64p-26, 0x1.5E0B05BFF20F2p-33};
  static constexpr std::array<double, 6> kCosine = {0x1.5555555555555p-5,  -0x1.6C16C16C16967p-10,
                                                    0x1.A01A019F4E9B4p-16, -0x1.27E4FA17BF139p-22,
                                                    0x1.1EEB68CD22F56p-29, -0x1.907D8F29FE831p-37};
};

enum class Trigonometric : uint8_t { sine, cosine, tangent };

/// For |x| <= kFar.
template <Trigonometric kind, class D, class V>
HWY_INLINE V trigonometric_near(D d, V x) {
  using T = hn::TFromD<D>;
  using C = TrigonometryConstants<T>;
  const hn::RebindToSigned<D> integers;
  using VI = hn::Vec<decltype(integers)>;
  const V one = hn::Set(d, T{1});
  // x = n pi/2 + r with |r| <= pi/4. Only the lowest two bits of n matter.
  const V rounder = hn::Set(d, MathConstants<T>::kRounder);
  const V rounded = hn::MulAdd(x, hn::Set(d, static_cast<T>(0.63661977236758134)), rounder);
  const V n = hn::Sub(rounded, rounder);
  const VI quadrant = hn::BitCast(integers, rounded);
  V r = x;
  for (const T part : C::kHalfPi) r = hn::NegMulAdd(n, hn::Set(d, part), r);

  const V r2 = hn::Mul(r, r);
  const V s = polynomial(d, r2, C::kSine);
  const V sine = hn::CopySign(hn::MulAdd(hn::Mul(r, r2), s, r), r);  // r may be -0
  const V c = polynomial(d, r2, C::kCosine);
  const V cosine = hn::MulAdd(hn::MulAdd(c, r2, hn::Set(d, T{-0.5})), r2, one);

  const VI first = hn::Set(integers, 1);
  const auto odd = hn::RebindMask(d, hn::Eq(hn::And(quadrant, first), first));
  const VI turn = kind == Trigonometric::cosine ? hn::Add(quadrant, first) : quadrant;
  constexpr int kToSign = static_cast<int>(sizeof(T)) * 8 - (kind == Trigonometric::tangent ? 1 : 2);
  const V sign = hn::And(hn::SignBit(d), hn::BitCast(d, hn::ShiftLeft<kToSign>(turn)));
  if constexpr (kind == Trigonometric::tangent) {
    const V y = hn::Div(hn::IfThenElse(odd, cosine, sine), hn::IfThenElse(odd, sine, cosine));
    return hn::Xor(y, sign);
  } else {
    constexpr bool kSine = kind == Trigonometric::sine;
    return hn::Xor(kSine ? hn::IfThenElse(odd, cosine, sine) : hn::IfThenElse(odd, sine, cosine), sign);
  }
}

template <Trigonometric kind, class T>
T trigonometric_far(T x) {
  if constexpr (kind == Trigonometric::sine) return std::sin(x);
  if constexpr (kind == Trigonometric::cosine) return std::cos(x);
  if constexpr (kind == Trigonometric::tangent) return std::tan(x);
}

/// sin, cos or tan of any x; what lies beyond kFar is left to the standard library, lane by lane, so that an
/// element's bits do not depend on its neighbours.
template <Trigonometric kind, class D, class V>
HWY_INLINE V vector_trigonometric(D d, V x) {
  using T = hn::TFromD<D>;
  constexpr T kFar = TrigonometryConstants<T>::kFar;
  const auto near = hn::Le(hn::Abs(x), hn::Set(d, kFar));
  const V y = trigonometric_near<kind>(d, hn::IfThenElseZero(near, x));
  if (HWY_LIKELY(hn::AllTrue(d, near))) return y;
  HWY_ALIGN T from[hn::MaxLanes(d)];
  HWY_ALIGN T to[hn::MaxLanes(d)];
  hn::Store(x, d, from);
  hn::Store(y, d, to);
  for (size_t i = 0; i < hn::Lanes(d); ++i) {
    if (!(std::abs(from[i]) <= kFar)) to[i] = trigonometric_far<kind>(from[i]);
  }
  return hn::Load(d, to);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
