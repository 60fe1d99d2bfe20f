#include "ops/abs.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/abs_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/elementwise-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {

struct AbsElements {
  template <class D, class V>
  HWY_ATTR V operator()(D, V x) const {
    return hn::Abs(x);
  }
};

void abs_kernel(const Abs&, const Tensor& output, Inputs inputs) {
  run_elementwise_any<1>(AbsElements(), output, inputs, 1);
}

struct AbsBackwardElements {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V gradient, V x) const {
    const V turned = hn::Xor(gradient, hn::And(hn::SignBit(d), x));
    return hn::IfThenZeroElse(hn::Eq(x, hn::Zero(d)), turned);
  }
};

void abs_backward_kernel(const AbsBackward&, const Tensor& output, Inputs inputs) {
  run_elementwise_floating<2>(AbsBackwardElements(), output, inputs, 1);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

ESPALIER_ELEMENTWISE_KERNEL(Abs, abs)
ESPALIER_ELEMENTWISE_KERNEL(AbsBackward, abs_backward)
