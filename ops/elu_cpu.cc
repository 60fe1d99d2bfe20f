#include "ops/elu.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/elu_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/elementwise-inl.h"
#include "ops/vector_math-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {

struct EluElements {
  double alpha, scale, rate;
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
    using T = hn::TFromD<D>;
    const V above = hn::Mul(x, hn::Set(d, static_cast<T>(scale)));
    // rate x is wanted where x <= 0; it is above 0 there if the rate is negative, which celu allows.
    const V z = hn::Mul(x, hn::Set(d, static_cast<T>(rate)));
    const V e = rate > 0 ? vector_expm1_negative(d, z) : vector_expm1(d, z);
    const V below = hn::Mul(e, hn::Set(d, static_cast<T>(alpha * scale)));
    return hn::IfThenElse(hn::Gt(x, hn::Zero(d)), above, below);
  }
};

void elu_kernel(const Elu& op, const Tensor& output, Inputs inputs) {
  run_elementwise_floating<1>(EluElements{op.alpha(), op.scale(), op.rate()}, output, inputs, 10);
}

struct EluBackwardElements {
  double above, below, rate;
  template <class D, class V>
  HWY_ATTR V operator()(D d, V gradient, V x) const {
    using T = hn::TFromD<D>;
    const V e = vector_exp(d, hn::Mul(x, hn::Set(d, static_cast<T>(rate))));
    const V slope = hn::IfThenElse(hn::Gt(x, hn::Zero(d)), hn::Set(d, static_cast<T>(above)),
                                   hn::Mul(e, hn::Set(d, static_cast<T>(below))));
    return hn::Mul(gradient, slope);
  }
};

void elu_backward_kernel(const EluBackward& op, const Tensor& output, Inputs inputs) {
  run_elementwise_floating<2>(EluBackwardElements{op.above(), op.below(), op.rate()}, output, inputs, 10);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

ESPALIER_ELEMENTWISE_KERNEL(Elu, elu)
ESPALIER_ELEMENTWISE_KERNEL(EluBackward, elu_backward)
