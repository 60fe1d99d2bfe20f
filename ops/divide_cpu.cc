#include "ops/divide.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/divide_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/elementwise-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {

struct DivideElements {
  template <class D, class V>
  HWY_ATTR V operator()(D, V a, V b) const {
    return hn::Div(a, b);
  }
};

void divide_kernel(const Divide&, const Tensor& output, Inputs inputs) {
  run_elementwise_floating<2>(DivideElements(), output, inputs, 2);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

ESPALIER_ELEMENTWISE_KERNEL(Divide, divide)
