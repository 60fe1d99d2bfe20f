#include "ops/sqrt.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/sqrt_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/elementwise-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {

struct SqrtElements {
  template <class D, class V>
  HWY_ATTR V operator()(D, V x) const {
    return hn::Sqrt(x);
  }
};

void sqrt_kernel(const Sqrt&, const Tensor& output, Inputs inputs) {
  run_elementwise_floating<1>(SqrtElements(), output, inputs, 4);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

ESPALIER_ELEMENTWISE_KERNEL(Sqrt, sqrt)
