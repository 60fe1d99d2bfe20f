#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "ops/clamp.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/clamp_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/elementwise-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {

/// A bound as a number of C that elements of `dtype` can hold; `absent` where there is none.
template <class C>
C bound_of(const std::optional<Scalar>& bound, Dtype dtype, C absent) {
  if (!bound) return absent;
  if constexpr (std::is_floating_point_v<C>) {
    return static_cast<C>(bound->to_double());
  } else {
    return visit_dtype(dtype, [&](auto tag) -> C {
      using T = typename decltype(tag)::type;
      if constexpr (std::is_integral_v<T> && sizeof(T) <= sizeof(C) && !std::is_same_v<T, bool>) {
        constexpr int64_t kLowest = std::numeric_limits<T>::min();   // NOLINT(bugprone-signed-char-misuse)
        constexpr int64_t kLargest = std::numeric_limits<T>::max();  // NOLINT(bugprone-signed-char-misuse)
        return static_cast<C>(std::clamp(bound->to_int(), kLowest, kLargest));
      } else {
        return absent;  // no such type comes here
      }
    });
  }
}

/// Min and Max give the second operand where it is NaN, so NaN stays.
template <class C>
struct ClampElements {
  C low, high;
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
    return hn::Min(hn::Set(d, high), hn::Max(hn::Set(d, low), x));
  }
};

/// NaN for everything: what a bound that is NaN makes.
template <class C>
struct NanElements {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V) const {
    return hn::Set(d, std::numeric_limits<C>::quiet_NaN());
  }
};

/// What is no bound: an infinity, or an end of the range.
template <class C>
inline constexpr C kBeyond =
    std::is_floating_point_v<C> ? std::numeric_limits<C>::infinity() : std::numeric_limits<C>::max();
template <class C>
inline constexpr C kBelow = std::is_floating_point_v<C> ? -kBeyond<C> : std::numeric_limits<C>::lowest();

void clamp_kernel(const Clamp& clamp, const Tensor& output, Inputs inputs) {
  const ClampBounds& bounds = clamp.bounds();
  visit_compute_type(output.dtype(), [&](auto tag) {
    using C = typename decltype(tag)::type;
    const ClampElements<C> f{bound_of(bounds.low, output.dtype(), kBelow<C>),
                             bound_of(bounds.high, output.dtype(), kBeyond<C>)};
    if constexpr (std::is_floating_point_v<C>) {
      if (std::isnan(f.low) || std::isnan(f.high))
        return run_elementwise<C, 1>(NanElements<C>(), output, inputs, 1);
    }
    run_elementwise<C, 1>(f, output, inputs, 1);
  });
}

template <class C>
struct ClampBackwardElements {
  C low, high;
  bool has_low, has_high;
  template <class D, class V>
  HWY_ATTR V operator()(D d, V gradient, V x) const {
    // Without a bound infinities pass as well, and NaN alone does not.
    const auto above = has_low ? hn::Lt(hn::Set(d, low), x) : hn::Eq(x, x);
    const auto below = has_high ? hn::Lt(x, hn::Set(d, high)) : hn::Eq(x, x);
    return hn::IfThenElseZero(hn::And(above, below), gradient);
  }
};

void clamp_backward_kernel(const ClampBackward& clamp, const Tensor& output, Inputs inputs) {
  const ClampBounds& bounds = clamp.bounds();
  const auto run = [&](auto tag) {
    using C = typename decltype(tag)::type;
    const ClampBackwardElements<C> f{bound_of(bounds.low, output.dtype(), C{0}),
                                     bound_of(bounds.high, output.dtype(), C{0}), bounds.low.has_value(),
                                     bounds.high.has_value()};
    run_elementwise<C, 2>(f, output, inputs, 1);
  };
  output.dtype() == Dtype::f64 ? run(TypeTag<double>()) : run(TypeTag<float>());
}

struct ClampBetweenElements {
  /// Written with comparisons, so that NaN stays, of x as well as of a bound.
  template <class D, class V>
  HWY_ATTR V operator()(D, V x, V low, V high) const {
    const V raised = hn::IfThenElse(hn::Or(hn::Lt(x, low), hn::Not(hn::Eq(low, low))), low, x);
    return hn::IfThenElse(hn::Or(hn::Lt(high, raised), hn::Not(hn::Eq(high, high))), high, raised);
  }
};

void clamp_between_kernel(const ClampBetween&, const Tensor& output, Inputs inputs) {
  run_elementwise_any<3>(ClampBetweenElements(), output, inputs, 1);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

ESPALIER_ELEMENTWISE_KERNEL(Clamp, clamp)
ESPALIER_ELEMENTWISE_KERNEL(ClampBackward, clamp_backward)
ESPALIER_ELEMENTWISE_KERNEL(ClampBetween, clamp_between)
