#include "ops/erf.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/erf_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/elementwise-inl.h"
#include "ops/vector_erf-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {

struct ErfElements {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
    return vector_erf(d, x);
  }
};

void erf_kernel(const Erf&, const Tensor& output, Inputs inputs) {
  run_elementwise_floating<1>(ErfElements(), output, inputs, 16);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

ESPALIER_ELEMENTWISE_KERNEL(Erf, erf)
