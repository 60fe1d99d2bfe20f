#include "ops/subtract.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/subtract_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/elementwise-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {

struct SubtractElements {
  template <class D, class V>
  HWY_ATTR V operator()(D, V a, V b) const {
    return hn::Sub(a, b);
  }
};

void subtract_kernel(const Subtract&, const Tensor& output, Inputs inputs) {
  run_elementwise_any<2>(SubtractElements(), output, inputs, 1);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

ESPALIER_ELEMENTWISE_KERNEL(Subtract, subtract)
