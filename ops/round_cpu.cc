#include "ops/round.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/round_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/elementwise-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {

struct FloorElements {
  template <class D, class V>
  HWY_ATTR V operator()(D, V x) const {
    if constexpr (hwy::IsFloat<hn::TFromD<D>>())
      return hn::Floor(x);
    else
      return x;
  }
};

void floor_kernel(const Floor&, const Tensor& output, Inputs inputs) {
  run_elementwise_any<1>(FloorElements(), output, inputs, 1);
}

struct CeilElements {
  template <class D, class V>
  HWY_ATTR V operator()(D, V x) const {
    if constexpr (hwy::IsFloat<hn::TFromD<D>>())
      return hn::Ceil(x);
    else
      return x;
  }
};

void ceil_kernel(const Ceil&, const Tensor& output, Inputs inputs) {
  run_elementwise_any<1>(CeilElements(), output, inputs, 1);
}

struct RoundElements {
  template <class D, class V>
  HWY_ATTR V operator()(D, V x) const {
    if constexpr (hwy::IsFloat<hn::TFromD<D>>())
      return hn::Round(x);
    else
      return x;
  }
};

void round_kernel(const Round&, const Tensor& output, Inputs inputs) {
  run_elementwise_any<1>(RoundElements(), output, inputs, 1);
}

struct TruncElements {
  template <class D, class V>
  HWY_ATTR V operator()(D, V x) const {
    if constexpr (hwy::IsFloat<hn::TFromD<D>>())
      return hn::Trunc(x);
    else
      return x;
  }
};

void trunc_kernel(const Trunc&, const Tensor& output, Inputs inputs) {
  run_elementwise_any<1>(TruncElements(), output, inputs, 1);
}

struct SignElements {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
    using T = hn::TFromD<D>;
    const V zero = hn::Zero(d);
    const V positive = hn::IfThenElseZero(hn::Lt(zero, x), hn::Set(d, T{1}));
    return hn::IfThenElse(hn::Lt(x, zero), hn::Set(d, T{-1}), positive);
  }
};

void sign_kernel(const Sign&, const Tensor& output, Inputs inputs) {
  run_elementwise_any<1>(SignElements(), output, inputs, 1);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

ESPALIER_ELEMENTWISE_KERNEL(Floor, floor)
ESPALIER_ELEMENTWISE_KERNEL(Ceil, ceil)
ESPALIER_ELEMENTWISE_KERNEL(Round, round)
ESPALIER_ELEMENTWISE_KERNEL(Trunc, trunc)
ESPALIER_ELEMENTWISE_KERNEL(Sign, sign)
