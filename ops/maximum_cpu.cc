#include "ops/maximum.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/maximum_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/elementwise-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {

// Comparisons and not Max and Min, which may lose NaN; not Eq and not Ne, which on AVX3 is false for NaN. Of
// two zeros the first is taken, whatever the signs.

struct MaximumElements {
  template <class D, class V>
  HWY_ATTR V operator()(D, V a, V b) const {
    return hn::IfThenElse(hn::Or(hn::Lt(a, b), hn::Not(hn::Eq(b, b))), b, a);
  }
};

void maximum_kernel(const Maximum&, const Tensor& output, Inputs inputs) {
  run_elementwise_any<2>(MaximumElements(), output, inputs, 1);
}

struct MinimumElements {
  template <class D, class V>
  HWY_ATTR V operator()(D, V a, V b) const {
    return hn::IfThenElse(hn::Or(hn::Lt(b, a), hn::Not(hn::Eq(b, b))), b, a);
  }
};

void minimum_kernel(const Minimum&, const Tensor& output, Inputs inputs) {
  run_elementwise_any<2>(MinimumElements(), output, inputs, 1);
}

struct MaximumBackwardElements {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V gradient, V a, V b) const {
    const V half = hn::Mul(gradient, hn::Set(d, hn::TFromD<D>{0.5}));
    return hn::IfThenZeroElse(hn::Lt(a, b), hn::IfThenElse(hn::Eq(a, b), half, gradient));
  }
};

void maximum_backward_kernel(const MaximumBackward&, const Tensor& output, Inputs inputs) {
  run_elementwise_floating<3>(MaximumBackwardElements(), output, inputs, 2);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

ESPALIER_ELEMENTWISE_KERNEL(Maximum, maximum)
ESPALIER_ELEMENTWISE_KERNEL(Minimum, minimum)
ESPALIER_ELEMENTWISE_KERNEL(MaximumBackward, maximum_backward)
