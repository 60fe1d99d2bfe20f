#include "ops/hardtanh.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/hardtanh_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/elementwise-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {

/// x between two numbers; NaN stays, as in vector_math-inl.h.
template <class D, class V>
HWY_INLINE V between(D d, V x, double low, double high) {
  using T = hn::TFromD<D>;
  return hn::Min(hn::Set(d, static_cast<T>(high)), hn::Max(hn::Set(d, static_cast<T>(low)), x));
}

/// (x + 3) / 6 between 0 and 1.
template <class D, class V>
HWY_INLINE V hard_sigmoid(D d, V x) {
  using T = hn::TFromD<D>;
  return hn::Mul(between(d, hn::Add(x, hn::Set(d, T{3})), 0, 6), hn::Set(d, static_cast<T>(1.0 / 6)));
}

struct HardtanhElements {
  double low, high;
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
    return between(d, x, low, high);
  }
};

void hardtanh_kernel(const Hardtanh& op, const Tensor& output, Inputs inputs) {
  run_elementwise_floating<1>(HardtanhElements{op.low(), op.high()}, output, inputs, 1);
}

struct HardtanhBackwardElements {
  double low, high, slope;
  template <class D, class V>
  HWY_ATTR V operator()(D d, V gradient, V x) const {
    using T = hn::TFromD<D>;
    const auto within =
        hn::And(hn::Gt(x, hn::Set(d, static_cast<T>(low))), hn::Lt(x, hn::Set(d, static_cast<T>(high))));
    return hn::IfThenElseZero(within, hn::Mul(gradient, hn::Set(d, static_cast<T>(slope))));
  }
};

void hardtanh_backward_kernel(const HardtanhBackward& op, const Tensor& output, Inputs inputs) {
  run_elementwise_floating<2>(HardtanhBackwardElements{op.low(), op.high(), op.slope()}, output, inputs, 1);
}

struct HardsigmoidElements {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
    return hard_sigmoid(d, x);
  }
};

void hardsigmoid_kernel(const Hardsigmoid&, const Tensor& output, Inputs inputs) {
  run_elementwise_floating<1>(HardsigmoidElements(), output, inputs, 1);
}

struct HardswishElements {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
    return hn::Mul(x, hard_sigmoid(d, x));
  }
};

void hardswish_kernel(const Hardswish&, const Tensor& output, Inputs inputs) {
  run_elementwise_floating<1>(HardswishElements(), output, inputs, 1);
}

struct HardswishBackwardElements {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V gradient, V x) const {
    using T = hn::TFromD<D>;
    const V slope = hn::MulAdd(x, hn::Set(d, static_cast<T>(1.0 / 3)), hn::Set(d, T{0.5}));
    const V inside = hn::IfThenElse(hn::Ge(x, hn::Set(d, T{3})), gradient, hn::Mul(gradient, slope));
    return hn::IfThenZeroElse(hn::Le(x, hn::Set(d, T{-3})), inside);
  }
};

void hardswish_backward_kernel(const HardswishBackward&, const Tensor& output, Inputs inputs) {
  run_elementwise_floating<2>(HardswishBackwardElements(), output, inputs, 1);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

ESPALIER_ELEMENTWISE_KERNEL(Hardtanh, hardtanh)
ESPALIER_ELEMENTWISE_KERNEL(HardtanhBackward, hardtanh_backward)
ESPALIER_ELEMENTWISE_KERNEL(Hardsigmoid, hardsigmoid)
ESPALIER_ELEMENTWISE_KERNEL(Hardswish, hardswish)
ESPALIER_ELEMENTWISE_KERNEL(HardswishBackward, hardswish_backward)
