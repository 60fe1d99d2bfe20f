#include "ops/relu.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/relu_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/elementwise-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {

struct ReluElements {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
    return hn::IfThenZeroElse(hn::Lt(x, hn::Zero(d)), x);  // not Max, which may lose NaN
  }
};

void relu_kernel(const Relu&, const Tensor& output, Inputs inputs) {
  run_elementwise_any<1>(ReluElements(), output, inputs, 1);
}

struct ReluBackwardElements {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V gradient, V y) const {
    return hn::IfThenZeroElse(hn::Le(y, hn::Zero(d)), gradient);
  }
};

void relu_backward_kernel(const ReluBackward&, const Tensor& output, Inputs inputs) {
  run_elementwise_floating<2>(ReluBackwardElements(), output, inputs, 1);
}

struct LeakyReluElements {
  double slope;
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
    const V low = hn::Mul(x, hn::Set(d, static_cast<hn::TFromD<D>>(slope)));
    return hn::IfThenElse(hn::Gt(x, hn::Zero(d)), x, low);
  }
};

void leaky_relu_kernel(const LeakyRelu& op, const Tensor& output, Inputs inputs) {
  run_elementwise_floating<1>(LeakyReluElements{op.slope()}, output, inputs, 1);
}

struct LeakyReluBackwardElements {
  double slope;
  template <class D, class V>
  HWY_ATTR V operator()(D d, V gradient, V x) const {
    const V low = hn::Mul(gradient, hn::Set(d, static_cast<hn::TFromD<D>>(slope)));
    return hn::IfThenElse(hn::Gt(x, hn::Zero(d)), gradient, low);
  }
};

void leaky_relu_backward_kernel(const LeakyReluBackward& op, const Tensor& output, Inputs inputs) {
  run_elementwise_floating<2>(LeakyReluBackwardElements{op.slope()}, output, inputs, 1);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

ESPALIER_ELEMENTWISE_KERNEL(Relu, relu)
ESPALIER_ELEMENTWISE_KERNEL(ReluBackward, relu_backward)
ESPALIER_ELEMENTWISE_KERNEL(LeakyRelu, leaky_relu)
ESPALIER_ELEMENTWISE_KERNEL(LeakyReluBackward, leaky_relu_backward)
