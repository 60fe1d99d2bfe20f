#include <limits>

#include "ops/isfinite.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/isfinite_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/elementwise-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {

// A number less itself is 0, and NaN where it is not finite.
struct IsFiniteElements {
  template <class D, class V>
  HWY_ATTR hn::Mask<D> operator()(D d, V x) const {
    return hn::Eq(hn::Sub(x, x), hn::Zero(d));
  }
};

void isfinite_kernel(const IsFinite&, const Tensor& output, Inputs inputs) {
  run_predicate<1>(IsFiniteElements(), output, inputs, 1);
}

struct IsInfElements {
  template <class D, class V>
  HWY_ATTR hn::Mask<D> operator()(D d, V x) const {
    using T = hn::TFromD<D>;
    if constexpr (hwy::IsFloat<T>())
      return hn::Eq(hn::Abs(x), hn::Set(d, std::numeric_limits<T>::infinity()));
    else
      return hn::Lt(x, x);  // never
  }
};

void isinf_kernel(const IsInf&, const Tensor& output, Inputs inputs) {
  run_predicate<1>(IsInfElements(), output, inputs, 1);
}

struct IsNanElements {
  template <class D, class V>
  HWY_ATTR hn::Mask<D> operator()(D, V x) const {
    return hn::Not(hn::Eq(x, x));
  }
};

void isnan_kernel(const IsNan&, const Tensor& output, Inputs inputs) {
  run_predicate<1>(IsNanElements(), output, inputs, 1);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

ESPALIER_ELEMENTWISE_KERNEL(IsFinite, isfinite)
ESPALIER_ELEMENTWISE_KERNEL(IsInf, isinf)
ESPALIER_ELEMENTWISE_KERNEL(IsNan, isnan)
