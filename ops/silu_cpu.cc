#include "ops/silu.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/silu_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/elementwise-inl.h"
#include "ops/vector_math-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {

struct SiluElements {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
    return hn::Div(x, hn::Add(hn::Set(d, hn::TFromD<D>{1}), vector_exp(d, hn::Neg(x))));
  }
};

void silu_kernel(const Silu&, const Tensor& output, Inputs inputs) {
  run_elementwise_floating<1>(SiluElements(), output, inputs, 12);
}

struct SiluBackwardElements {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V gradient, V x) const {
    // y' = s + x s (1 - s)
    const V s = vector_sigmoid(d, x);
    return hn::Mul(gradient, hn::MulAdd(x, hn::NegMulAdd(s, s, s), s));
  }
};

void silu_backward_kernel(const SiluBackward&, const Tensor& output, Inputs inputs) {
  run_elementwise_floating<2>(SiluBackwardElements(), output, inputs, 14);
}

/// From here on tanh(softplus(x)) rounds to 1, and its slope beside 1 to 0, in both precisions.
constexpr int kMishEnd = 24;

/// With e = e^x, tanh(ln(1 + e)) = ((1 + e)^2 - 1) / ((1 + e)^2 + 1) = w / (w + 2), w = e (e + 2).
struct MishElements {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
    using T = hn::TFromD<D>;
    const V two = hn::Set(d, T{2});
    const V e = vector_exp(d, hn::Min(hn::Set(d, T{kMishEnd}), x));
    const V w = hn::Mul(e, hn::Add(e, two));
    return hn::Mul(x, hn::Div(w, hn::Add(w, two)));
  }
};

void mish_kernel(const Mish&, const Tensor& output, Inputs inputs) {
  run_elementwise_floating<1>(MishElements(), output, inputs, 14);
}

struct MishBackwardElements {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V gradient, V x) const {
    using T = hn::TFromD<D>;
    const V two = hn::Set(d, T{2});
    const V z = hn::Min(hn::Set(d, T{kMishEnd}), x);
    const V e = vector_exp(d, z);
    const V w = hn::Mul(e, hn::Add(e, two));
    // y' = t + x t' with t = w q, t' = w' 2 q^2 and q = 1 / (w + 2), w' = 2 e (e + 1). The square of w may be
    // too large for a number.
    const V q = hn::Div(hn::Set(d, T{1}), hn::Add(w, two));
    const V dw = hn::Mul(hn::MulAdd(e, e, e), hn::Set(d, T{4}));
    return hn::Mul(gradient, hn::MulAdd(z, hn::Mul(hn::Mul(dw, q), q), hn::Mul(w, q)));
  }
};

void mish_backward_kernel(const MishBackward&, const Tensor& output, Inputs inputs) {
  run_elementwise_floating<2>(MishBackwardElements(), output, inputs, 18);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

ESPALIER_ELEMENTWISE_KERNEL(Silu, silu)
ESPALIER_ELEMENTWISE_KERNEL(SiluBackward, silu_backward)
ESPALIER_ELEMENTWISE_KERNEL(Mish, mish)
ESPALIER_ELEMENTWISE_KERNEL(MishBackward, mish_backward)
