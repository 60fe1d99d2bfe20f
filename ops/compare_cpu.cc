#include "ops/compare.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/compare_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/elementwise-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {

struct EqualElements {
  template <class D, class V>
  HWY_ATTR hn::Mask<D> operator()(D, V a, V b) const {
    return hn::Eq(a, b);
  }
};

void equal_kernel(const Equal&, const Tensor& output, Inputs inputs) {
  run_predicate<2>(EqualElements(), output, inputs, 1);
}

struct NotEqualElements {
  template <class D, class V>
  HWY_ATTR hn::Mask<D> operator()(D, V a, V b) const {
    return hn::Not(hn::Eq(a, b));  // Ne is false for NaN on AVX3
  }
};

void not_equal_kernel(const NotEqual&, const Tensor& output, Inputs inputs) {
  run_predicate<2>(NotEqualElements(), output, inputs, 1);
}

struct LessElements {
  template <class D, class V>
  HWY_ATTR hn::Mask<D> operator()(D, V a, V b) const {
    return hn::Lt(a, b);
  }
};

void less_kernel(const Less&, const Tensor& output, Inputs inputs) {
  run_predicate<2>(LessElements(), output, inputs, 1);
}

struct LessEqualElements {
  template <class D, class V>
  HWY_ATTR hn::Mask<D> operator()(D, V a, V b) const {
    if constexpr (hwy::IsFloat<hn::TFromD<D>>())
      return hn::Le(a, b);
    else
      return hn::Not(hn::Lt(b, a));
  }
};

void less_equal_kernel(const LessEqual&, const Tensor& output, Inputs inputs) {
  run_predicate<2>(LessEqualElements(), output, inputs, 1);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

ESPALIER_ELEMENTWISE_KERNEL(Equal, equal)
ESPALIER_ELEMENTWISE_KERNEL(NotEqual, not_equal)
ESPALIER_ELEMENTWISE_KERNEL(Less, less)
ESPALIER_ELEMENTWISE_KERNEL(LessEqual, less_equal)
