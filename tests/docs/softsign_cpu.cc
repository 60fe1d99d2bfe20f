#include "tests/docs/softsign.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tests/docs/softsign_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/elementwise-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {

struct SoftsignElements {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
    return hn::Div(x, hn::Add(hn::Set(d, 1), hn::Abs(x)));
  }
};

// 6: simple operations an element, of which the division counts as four.
void softsign_kernel(const Softsign&, const Tensor& output, Inputs inputs) {
  run_elementwise_floating<1>(SoftsignElements(), output, inputs, 6);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

ESPALIER_ELEMENTWISE_KERNEL(Softsign, softsign)
