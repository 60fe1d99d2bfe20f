#include "ops/accumulate.h"
#include "ops/add.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/add_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/elementwise-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {

struct AddElements {
  template <class D, class V>
  HWY_ATTR V operator()(D, V a, V b) const {
    return hn::Add(a, b);
  }
};

void add_kernel(const Tensor& output, Inputs inputs) {
  run_elementwise_any<2>(AddElements(), output, inputs, 1);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier {

HWY_EXPORT(add_kernel);

void add_cpu(const Add&, Inputs inputs, Outputs outputs) {
  ESPALIER_DISPATCH(add_kernel)(outputs[0], inputs);
}

// Adding in place is adding with the sum for an output: each element is read before it is written.
void accumulate_cpu(const Accumulate&, Inputs inputs, Outputs outputs) {
  ESPALIER_DISPATCH(add_kernel)(outputs[0], inputs);
}

}  // namespace espalier
#endif
