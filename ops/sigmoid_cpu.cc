#include "ops/sigmoid.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/sigmoid_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/elementwise-inl.h"
#include "ops/vector_math-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {

struct SigmoidElements {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
    return vector_sigmoid(d, x);
  }
};

void sigmoid_kernel(const Sigmoid&, const Tensor& output, Inputs inputs) {
  run_elementwise_floating<1>(SigmoidElements(), output, inputs, 12);
}

struct SigmoidBackwardElements {
  template <class D, class V>
  HWY_ATTR V operator()(D, V gradient, V y) const {
    const V gy = hn::Mul(gradient, y);
    return hn::NegMulAdd(gy, y, gy);
  }
};

void sigmoid_backward_kernel(const SigmoidBackward&, const Tensor& output, Inputs inputs) {
  run_elementwise_floating<2>(SigmoidBackwardElements(), output, inputs, 1);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

ESPALIER_ELEMENTWISE_KERNEL(Sigmoid, sigmoid)
ESPALIER_ELEMENTWISE_KERNEL(SigmoidBackward, sigmoid_backward)
