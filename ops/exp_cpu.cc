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

struct Exp2Elements {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
    return vector_exp2(d, x);
  }
};

void exp2_kernel(const Exp2&, const Tensor& output, Inputs inputs) {
  run_elementwise_floating<1>(Exp2Elements(), output, inputs, 8);
}

struct Expm1Elements {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
    return vector_expm1(d, x);
  }
};

void expm1_kernel(const Expm1&, const Tensor& output, Inputs inputs) {
  run_elementwise_floating<1>(Expm1Elements(), output, inputs, 10);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

ESPALIER_ELEMENTWISE_KERNEL(Exp, exp)
ESPALIER_ELEMENTWISE_KERNEL(Exp2, exp2)
ESPALIER_ELEMENTWISE_KERNEL(Expm1, expm1)
