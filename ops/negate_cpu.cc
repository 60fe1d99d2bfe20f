#include "ops/negate.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/negate_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/elementwise-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {

struct NegateElements {
  template <class D, class V>
  HWY_ATTR V operator()(D, V x) const {
    return hn::Neg(x);
  }
};

void negate_kernel(const Negate&, const Tensor& output, Inputs inputs) {
  run_elementwise_any<1>(NegateElements(), output, inputs, 1);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

ESPALIER_ELEMENTWISE_KERNEL(Negate, negate)
