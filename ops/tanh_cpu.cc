#include "ops/tanh.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/tanh_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/elementwise-inl.h"
#include "ops/vector_math-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {

struct TanhElements {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
    return vector_tanh(d, x);
  }
};

void tanh_kernel(const Tanh&, const Tensor& output, Inputs inputs) {
  run_elementwise_floating<1>(TanhElements(), output, inputs, 12);
}

struct TanhBackwardElements {
  template <class D, class V>
  HWY_ATTR V operator()(D, V gradient, V y) const {
    return hn::NegMulAdd(hn::Mul(gradient, y), y, gradient);
  }
};

void tanh_backward_kernel(const TanhBackward&, const Tensor& output, Inputs inputs) {
  run_elementwise_floating<2>(TanhBackwardElements(), output, inputs, 1);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

ESPALIER_ELEMENTWISE_KERNEL(Tanh, tanh)
ESPALIER_ELEMENTWISE_KERNEL(TanhBackward, tanh_backward)
