// The functions of core/box_muller.h on vectors, with the same steps in the same order, for targets with a
// fused multiply-add. Included once per target, hence the guard that toggles.
#if defined(ESPALIER_CORE_PHILOX_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ESPALIER_CORE_PHILOX_INL_H_
#undef ESPALIER_CORE_PHILOX_INL_H_
#else
#define ESPALIER_CORE_PHILOX_INL_H_
#endif

#include "core/box_muller.h"
#include "hwy/highway.h"

#if HWY_NATIVE_FMA

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

template <class D, int kCount>
HWY_INLINE hn::Vec<D> polynomial(D d, const float (&coefficients)[kCount], hn::Vec<D> x) {
  auto sum = hn::Set(d, coefficients[0]);
  for (int i = 1; i < kCount; ++i) sum = hn::MulAdd(sum, x, hn::Set(d, coefficients[i]));
  return sum;
}

// The steps of philox_uniform_above_zero and portable_log.
template <class D, class VU>
HWY_INLINE hn::Vec<D> log_of_uniform(D d, VU words) {
  const hn::RebindToSigned<D> di;
  const hn::RebindToUnsigned<D> du;
  const auto high = hn::ConvertTo(d, hn::BitCast(di, hn::ShiftRight<8>(words)));
  const auto low = hn::ConvertTo(d, hn::BitCast(di, hn::And(words, hn::Set(du, 0xFFU))));
  const auto x =
      hn::MulAdd(high, hn::Set(d, 0x1p-24F), hn::MulAdd(low, hn::Set(d, 0x1p-32F), hn::Set(d, 0x1p-33F)));
  const auto bits = hn::BitCast(du, x);
  const auto exponent =
      hn::ShiftRight<23>(hn::BitCast(di, hn::Sub(bits, hn::Set(du, detail::kSqrtHalfBits))));
  const auto mantissa = hn::Sub(bits, hn::BitCast(du, hn::ShiftLeft<23>(exponent)));
  const auto f = hn::Sub(hn::BitCast(d, mantissa), hn::Set(d, 1.0F));
  const auto e = hn::ConvertTo(d, exponent);
  const auto square = hn::Mul(f, f);
  auto sum = hn::Mul(hn::Mul(square, f), polynomial(d, detail::kLog, f));
  sum = hn::MulAdd(e, hn::Set(d, detail::kLog2Low), sum);
  sum = hn::MulAdd(hn::Set(d, -0.5F), square, sum);
  return hn::MulAdd(e, hn::Set(d, detail::kLog2High), hn::Add(f, sum));
}

// The steps of portable_sincos.
template <class D, class VU>
HWY_INLINE void sincos(D d, VU turn, hn::Vec<D>& sine, hn::Vec<D>& cosine) {
  const hn::RebindToSigned<D> di;
  const hn::RebindToUnsigned<D> du;
  const auto quadrant = hn::ShiftRight<30>(hn::Add(turn, hn::Set(du, 0x20000000U)));
  const auto rest = hn::BitCast(di, hn::Sub(turn, hn::ShiftLeft<30>(quadrant)));
  const auto angle = hn::Mul(hn::ConvertTo(d, rest), hn::Set(d, detail::kRadiansPerStep));
  const auto square = hn::Mul(angle, angle);
  const auto s = hn::MulAdd(hn::Mul(angle, square), polynomial(d, detail::kSin, square), angle);
  const auto c = hn::MulAdd(hn::Mul(square, square), polynomial(d, detail::kCos, square),
                            hn::MulAdd(hn::Set(d, -0.5F), square, hn::Set(d, 1.0F)));
  const auto swap =
      hn::MaskFromVec(hn::BitCast(d, hn::Neg(hn::BitCast(di, hn::And(quadrant, hn::Set(du, 1U))))));
  const auto two = hn::Set(du, 2U);
  const auto sine_sign = hn::ShiftLeft<30>(hn::And(quadrant, two));
  const auto cosine_sign = hn::ShiftLeft<30>(hn::And(hn::Add(quadrant, hn::Set(du, 1U)), two));
  sine = hn::Xor(hn::IfThenElse(swap, c, s), hn::BitCast(d, sine_sign));
  cosine = hn::Xor(hn::IfThenElse(swap, s, c), hn::BitCast(d, cosine_sign));
}

}  // namespace
}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif  // HWY_NATIVE_FMA

#endif
