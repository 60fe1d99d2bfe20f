// The error function on vectors of float and double, compiled once per instruction set: include it inside a
// file set up as core/highway_internal.h says, after "hwy/highway.h". Its error is at most 2.5 units in the
// last place in single and 4.9 in double precision, found as in vector_math-inl.h; it takes any number, and
// NaN.

#if defined(ESPALIER_VECTOR_ERF_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ESPALIER_VECTOR_ERF_INL_H_
#undef ESPALIER_VECTOR_ERF_INL_H_
#else
#define ESPALIER_VECTOR_ERF_INL_H_
#endif

#include <array>

#include "ops/vector_math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {

/// Both polynomials interpolate in Chebyshev's points, computed with 40 digits.
template <class T>
struct ErfConstants;

template <>
struct ErfConstants<float> {
  /// From here on erf rounds to 1.
  static constexpr float kOne = 4;
  /// erf x = x (c0 + c1 x^2 + ...) for |x| <= 1, with an error of 1.3e-9.
  static constexpr std::array<float, 7> kSmall = {0x1.20DD74p+0F,  -0x1.81273Ep-2F, 0x1.CE2D1p-4F,
                                                  -0x1.B7FABAp-6F, 0x1.541270p-8F,  -0x1.A45088p-11F,
                                                  0x1.4A5690p-14F};
  /// ln(1 - erf x) = c0 + c1 t + ... with t = x - kCentre for x from 1 to kOne, with an error of 1.7e-8.
  static constexpr float kCentre = 2.5F;
  static constexpr std::array<float, 9> kLarge = {-0x1.F3A2DCp+2F, -0x1.569252p+2F,  -0x1.E3460Ap-1F,
                                                  -0x1.63D00Cp-7F, 0x1.1BCF88p-9F,   -0x1.B887C8p-12F,
                                                  0x1.442EFCp-14F, -0x1.BEC71Ap-17F, 0x1.B77830p-20F};
};

template <>
struct ErfConstants<double> {
  static constexpr double kOne = 6;
  /// The error is 2.2e-21.
  static constexpr std::array<double, 14> kSmall = {
      0x1.20DD750429B6Dp+0,  -0x1.812746B0379E7p-2,  0x1.CE2F21A042BDEp-4,  -0x1.B82CE312889BAp-6,
      0x1.565BCD0E6502Dp-8,  -0x1.C02DB3FEEB579p-11, 0x1.F9A326C233146p-14, -0x1.F4D2561AEAFD4p-17,
      0x1.B9E6509B9867Dp-20, -0x1.5F6D925A0BC7Ap-23, 0x1.FC4356498C2D9p-27, -0x1.4E607B41A6416p-30,
      0x1.7F072188E194Dp-34, -0x1.29B9F1B3DF556p-38};
  /// The error is 3e-16, of which at most 0.16 comes to count.
  static constexpr double kCentre = 3.5;
  static constexpr std::array<double, 24> kLarge = {
      -0x1.C3991652A25B0p+3,  -0x1.D107C691607BDp+2,  -0x1.EEFA41A2DA128p-1,  -0x1.5677FF29CE678p-8,
      0x1.CA1053DA3A44Ep-11,  -0x1.34E7E407EC38Cp-13, 0x1.9922AD93F972Cp-16,  -0x1.05061546D6F55p-18,
      0x1.3A662979291B0p-21,  -0x1.5A92ED6A5FA34p-24, 0x1.4784E510995BEp-27,  -0x1.AA00C47111A65p-31,
      -0x1.B84A24BEB79AEp-36, 0x1.0D9DD73D5B636p-35,  -0x1.3FFC96660C869p-37, 0x1.2145DCF9CB479p-39,
      -0x1.D403B1E5B6D0Fp-42, 0x1.2DE3304F40116p-44,  -0x1.7A84A5F8D624Fp-48, 0x1.3D81CD87F0783p-51,
      -0x1.DD05A21FF8761p-52, 0x1.57FD517799C7Ap-56,  0x1.246170AC250F8p-55,  -0x1.73C06FCDDB4A5p-58};
};

/// erf x.
template <class D, class V>
HWY_INLINE V vector_erf(D d, V x) {
  using T = hn::TFromD<D>;
  using C = ErfConstants<T>;
  const V one = hn::Set(d, T{1});
  const V a = hn::Abs(x);
  const V small = hn::Mul(a, polynomial(d, hn::Mul(a, a), C::kSmall));
  const V t = hn::Sub(hn::Min(hn::Set(d, C::kOne), a), hn::Set(d, C::kCentre));
  // For x under 1, where it is not wanted, the exponent stays between -2 and 0.
  const V large = hn::Sub(one, vector_exp_normal(d, polynomial(d, t, C::kLarge)));
  return hn::CopySign(hn::IfThenElse(hn::Ge(a, one), large, small), x);  // NaN is small
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
