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

/// Both work on y = x s with s = sigmoid(2 u), u = sqrt(2/pi) (x + 0.044715 x^3), which is the definition
/// since (1 + tanh u) / 2 = sigmoid(2 u). Beyond kEnd the powers need not be computed: s is 0 or 1 there, up
/// to a relative 1e-37 (double: 1e-300), and e^(2 u) is still a normal number.
template <class T>
inline constexpr T kEnd = sizeof(T) == 4 ? T{10} : T{21};

/// 2 u / x, from x^2.
template <class D, class V>
HWY_INLINE V twice_slope(D d, V x2) {
  using T = hn::TFromD<D>;
  constexpr T kTwice = static_cast<T>(1.5957691216057308);  // 2 sqrt(2/pi)
  return hn::MulAdd(x2, hn::Set(d, static_cast<T>(kTwice * T{0.044715})), hn::Set(d, kTwice));
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

void gelu_kernel(const Gelu&, const Tensor& output, Inputs inputs) {
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

void gelu_backward_kernel(const GeluBackward&, const Tensor& output, Inputs inputs) {
  run_elementwise_floating<2>(GeluBackwardElements(), output, inputs, 16);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

ESPALIER_ELEMENTWISE_KERNEL(Gelu, gelu)
ESPALIER_ELEMENTWISE_KERNEL(GeluBackward, gelu_backward)
