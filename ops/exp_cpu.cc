#include "ops/exp.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/exp_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/elementwise-inl.h"
#include "ops/vector_math-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {

struct ExpElements {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
    return vector_exp(d, x);
  }
};

void exp_kernel(const Exp&, const Tensor& output, Inputs inputs) {
  run_elementwise_floating<1>(ExpElements(), output, inputs, 8);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

ESPALIER_ELEMENTWISE_KERNEL(Exp, exp)
