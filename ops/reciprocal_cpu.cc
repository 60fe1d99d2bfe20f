#include "ops/reciprocal.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/reciprocal_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/elementwise-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {

struct ReciprocalElements {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
    return hn::Div(hn::Set(d, hn::TFromD<D>{1}), x);
  }
};

void reciprocal_kernel(const Reciprocal&, const Tensor& output, Inputs inputs) {
  run_elementwise_floating<1>(ReciprocalElements(), output, inputs, 4);
}

struct RsqrtElements {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
    // Not the estimate that processors have, which is good for 12 bits.
    return hn::Div(hn::Set(d, hn::TFromD<D>{1}), hn::Sqrt(x));
  }
};

void rsqrt_kernel(const Rsqrt&, const Tensor& output, Inputs inputs) {
  run_elementwise_floating<1>(RsqrtElements(), output, inputs, 8);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

ESPALIER_ELEMENTWISE_KERNEL(Reciprocal, reciprocal)
ESPALIER_ELEMENTWISE_KERNEL(Rsqrt, rsqrt)
