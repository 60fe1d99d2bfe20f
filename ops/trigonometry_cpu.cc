#include "ops/trigonometry.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/trigonometry_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/elementwise-inl.h"
#include "ops/vector_trigonometry-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {

struct SinElements {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
    return vector_trigonometric<Trigonometric::sine>(d, x);
  }
};

void sin_kernel(const Sin&, const Tensor& output, Inputs inputs) {
  run_elementwise_floating<1>(SinElements(), output, inputs, 16);
}

struct CosElements {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
    return vector_trigonometric<Trigonometric::cosine>(d, x);
  }
};

void cos_kernel(const Cos&, const Tensor& output, Inputs inputs) {
  run_elementwise_floating<1>(CosElements(), output, inputs, 16);
}

struct TanElements {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
    return vector_trigonometric<Trigonometric::tangent>(d, x);
  }
};

void tan_kernel(const Tan&, const Tensor& output, Inputs inputs) {
  run_elementwise_floating<1>(TanElements(), output, inputs, 20);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

ESPALIER_ELEMENTWISE_KERNEL(Sin, sin)
ESPALIER_ELEMENTWISE_KERNEL(Cos, cos)
ESPALIER_ELEMENTWISE_KERNEL(Tan, tan)
