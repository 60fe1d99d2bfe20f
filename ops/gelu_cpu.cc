#include <array>

#include "ops/gelu.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/gelu_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/elementwise-inl.h"
#include "ops/vector_math-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {

/// The tanh form works on y = x s with s = sigmoid(2 u), u = sqrt(2/pi) (x + 0.044715 x^3), which is the
/// definition since (1 + tanh u) / 2 = sigmoid(2 u). Beyond kEnd the powers need not be computed: s is 0 or 1
/// there, up to a relative 1e-37 (double: 1e-300), and e^(2 u) is still a normal number.
template <class T>
inline constexpr T kEnd = sizeof(T) == 4 ? T{10} : T{21};

/// 2 u / x, from x^2.
template <class D, class V>
HWY_INLINE V twice_slope(D d, V x2) {
  using T = hn::TFromD<D>;
  constexpr T kTwice = static_cast<T>(1.5957691216057308);  // 2 sqrt(2/pi)
  return hn::MulAdd(x2, hn::Set(d, static_cast<T>(kTwice * T{0.044715})), hn::Set(d, kTwice));
}

template <class T>
struct NormalConstants;

template <>
struct NormalConstants<float> {
  /// Beyond, Phi(x) = 1 - Phi(-x) rounds to 1.
  static constexpr float kEnd = 6;
  /// ln Phi(-a) = c0 + c1 a + ... for a from 0 to kEnd, such that the error of Phi is 1.7e-8 at most:
  /// weighted least squares with Lawson's weights, computed with 40 digits.
  static constexpr std::array kTail = {-0x1.62E43p-1F,   -0x1.98847Ap-1F, -0x1.45EF8Ap-2F,
                                       -0x1.2A2326p-5F,  0x1.41693Ap-8F,  -0x1.A8134Ap-14F,
                                       -0x1.095C9Ap-13F, 0x1.C122D2p-16F, -0x1.01E752p-19F};
};

template <>
struct NormalConstants<double> {
  static constexpr double kEnd = 9;
  /// The error of Phi is 4.1e-17 at most.
  static constexpr std::array kTail = {
      -0x1.62E42FEFA39EFp-1,  -0x1.9884533D43601p-1,  -0x1.45F306DC9E706p-2,  -0x1.29A947F8A2986p-5,
      0x1.39668536E7EBDp-8,   0x1.3638AAB554AEBp-15,  -0x1.BCA7A03DAD038p-13, 0x1.B59A5E4098569p-15,
      -0x1.B5A280D2FAE57p-20, -0x1.7BC9242850DD4p-19, 0x1.E5239786F0163p-21,  -0x1.B5D006C387004p-25,
      -0x1.0E39E82F954F5p-24, 0x1.0759EF4E9CB59p-25,  -0x1.1C17E8635879Fp-27, 0x1.9AAB26277D301p-30,
      -0x1.7C462C1D375ACp-33, 0x1.07F23E106D663p-37,  0x1.AAD000A7ECDF5p-40,  -0x1.A98EA21FD814Ap-42,
      0x1.86F3C2D2737B4p-45,  -0x1.ADE6CBC3E8658p-49, 0x1.10BA977AC9FB3p-53,  -0x1.35C455A086F30p-59};
};

/// The normal distribution's Phi(x); below -kEnd it stays at Phi(-kEnd), and of NaN it makes any number.
template <class D, class V>
HWY_INLINE V normal_distribution(D d, V x) {
  using T = hn::TFromD<D>;
  using C = NormalConstants<T>;
  const V a = hn::Min(hn::Set(d, C::kEnd), hn::Abs(x));
  const V tail = vector_exp_normal(d, polynomial(d, a, C::kTail));
  return hn::IfThenElse(hn::Lt(x, hn::Zero(d)), tail, hn::Sub(hn::Set(d, T{1}), tail));
}

/// `y`, or 0 for x under -kEnd: x Phi(x) and its derivative go to 0 there (float: -6e-9, double: -1e-18).
template <class D, class V>
HWY_INLINE V zero_below_end(D d, V x, V y) {
  return hn::IfThenZeroElse(hn::Lt(x, hn::Set(d, -NormalConstants<hn::TFromD<D>>::kEnd)), y);
}

struct GeluElements {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
    using T = hn::TFromD<D>;
    const V low = hn::Max(hn::Set(d, -kEnd<T>), x);
    const V z = hn::Min(hn::Set(d, kEnd<T>), low);
    const V e = vector_exp_normal(d, hn::Neg(hn::Mul(z, twice_slope(d, hn::Mul(z, z)))));
    return hn::Div(low, hn::Add(hn::Set(d, T{1}), e));
  }
};

struct GeluErfElements {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
    return zero_below_end(d, x, hn::Mul(x, normal_distribution(d, x)));
  }
};

void gelu_kernel(const Gelu& op, const Tensor& output, Inputs inputs) {
  if (op.form() == GeluForm::erf)
    run_elementwise_floating<1>(GeluErfElements(), output, inputs, 20);
  else
    run_elementwise_floating<1>(GeluElements(), output, inputs, 12);
}

struct GeluBackwardElements {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V gradient, V x) const {
    using T = hn::TFromD<D>;
    const V one = hn::Set(d, T{1});
    const V z = hn::Min(hn::Set(d, kEnd<T>), hn::Max(hn::Set(d, -kEnd<T>), x));
    const V z2 = hn::Mul(z, z);
    const V slope = twice_slope(d, z2);
    const V s = hn::Div(one, hn::Add(one, vector_exp_normal(d, hn::Neg(hn::Mul(z, slope)))));
    // y' = s + x s (1 - s) 2 u' and 2 u' = 3 (2 u / x) - 2 (2 sqrt(2/pi)).
    constexpr T kTwice = static_cast<T>(1.5957691216057308);
    const V du = hn::MulAdd(slope, hn::Set(d, T{3}), hn::Set(d, T{-2} * kTwice));
    const V ds = hn::NegMulAdd(s, s, s);
    return hn::Mul(gradient, hn::MulAdd(hn::Mul(z, ds), du, s));
  }
};

struct GeluErfBackwardElements {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V gradient, V x) const {
    using T = hn::TFromD<D>;
    // y' = Phi(x) + x phi(x) with phi(x) = e^(-x^2/2) / sqrt(2 pi), which beyond kEnd rounds away.
    constexpr T kLast = NormalConstants<T>::kEnd;
    const V z = hn::Min(hn::Set(d, kLast), hn::Max(hn::Set(d, -kLast), x));
    const V e = vector_exp_normal(d, hn::Mul(hn::Mul(z, z), hn::Set(d, T{-0.5})));
    const V density = hn::Mul(e, hn::Set(d, static_cast<T>(0.39894228040143268)));
    return hn::Mul(gradient, zero_below_end(d, x, hn::MulAdd(z, density, normal_distribution(d, x))));
  }
};

void gelu_backward_kernel(const GeluBackward& op, const Tensor& output, Inputs inputs) {
  if (op.form() == GeluForm::erf)
    run_elementwise_floating<2>(GeluErfBackwardElements(), output, inputs, 28);
  else
    run_elementwise_floating<2>(GeluBackwardElements(), output, inputs, 16);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

ESPALIER_ELEMENTWISE_KERNEL(Gelu, gelu)
ESPALIER_ELEMENTWISE_KERNEL(GeluBackward, gelu_backward)
