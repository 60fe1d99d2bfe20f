// Reducers that several operations use, compiled once per instruction set: include it inside a file set up as
// core/highway_internal.h says, after "hwy/highway.h".

#if defined(ESPALIER_REDUCERS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ESPALIER_REDUCERS_INL_H_
#undef ESPALIER_REDUCERS_INL_H_
#else
#define ESPALIER_REDUCERS_INL_H_
#endif

#include <cmath>
#include <limits>
#include <type_traits>

#include "hwy/highway.h"
#include "ops/reduction-inl.h"

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {

/// A sum divided by `divisor`, of what `Elements` makes of them. Partial sums of floats are collected in
/// double.
template <class C, class Elements = PlainElements>
struct SumReducer : Elements {
  using Total = std::conditional_t<std::is_same_v<C, float>, double, C>;
  Total divisor = 1;

  C identity() const { return C{0}; }
  template <class D, class V>
  HWY_ATTR V combine(D, V a, V b) const {
    return hn::Add(a, b);
  }
  template <class D, class V>
  HWY_ATTR C lanes(D d, V v) const {
    return hn::GetLane(hn::SumOfLanes(d, v));
  }
  Total combine(Total a, Total b) const { return a + b; }
  Total finish(Total total) const { return total / divisor; }
};

/// The largest or the smallest of what `Elements` makes of them; NaN where one is.
template <class C, bool kLargest, class Elements = PlainElements>
struct ExtremumReducer : Elements {
  using Total = C;

  C identity() const {
    using Limits = std::numeric_limits<C>;
    const C highest = Limits::has_infinity ? Limits::infinity() : Limits::max();
    const C lowest = Limits::has_infinity ? -Limits::infinity() : Limits::lowest();
    return kLargest ? lowest : highest;
  }
  static bool better(C a, C b) { return kLargest ? a > b : a < b; }
  template <class D, class V>
  HWY_ATTR V combine(D, V a, V b) const {
    const V chosen = kLargest ? hn::Max(a, b) : hn::Min(a, b);  // b where that is NaN, on x86 and ARM
    if constexpr (std::is_floating_point_v<C>)
      return hn::IfThenElse(hn::IsNaN(a), a, chosen);
    else
      return chosen;
  }
  template <class D, class V>
  HWY_ATTR C lanes(D d, V v) const {
    if constexpr (std::is_floating_point_v<C>) {
      if (!hn::AllFalse(d, hn::IsNaN(v))) return std::numeric_limits<C>::quiet_NaN();
    }
    return hn::GetLane(kLargest ? hn::MaxOfLanes(d, v) : hn::MinOfLanes(d, v));
  }
  Total combine(Total a, Total b) const {
    if constexpr (std::is_floating_point_v<C>) {
      if (std::isnan(a)) return a;
    }
    return better(a, b) ? a : b;
  }
  Total finish(Total total) const { return total; }
};

/// Elements without their signs.
struct Magnitudes {
  template <class D, class V>
  HWY_ATTR V map(D, V x, V /*centre*/) const {
    return hn::Abs(x);
  }
};

/// 1 for each element that is not 0, else 0. NaN is not 0.
struct NonzeroFlags {
  template <class D, class V>
  HWY_ATTR V map(D d, V x, V /*centre*/) const {
    return hn::IfThenZeroElse(hn::Eq(x, hn::Zero(d)), hn::Set(d, hn::TFromD<D>{1}));
  }
};

/// How many elements are not 0. Blocks are counted in C: floats hold all numbers up to kReductionBlock.
template <class C>
struct CountReducer : SumReducer<C, NonzeroFlags> {
  using Total = int64_t;
  Total combine(Total a, Total b) const { return a + b; }
  template <class D, class V>
  HWY_ATTR V combine(D, V a, V b) const {
    return hn::Add(a, b);
  }
  Total finish(Total total) const { return total; }
};

/// Calls `f` with the tags of the types in which elements of a floating type are computed in double and read:
/// f64 as it is, the others as floats.
template <class F>
void visit_read_type(Dtype dtype, F&& f) {
  if (dtype == Dtype::f64)
    f(TypeTag<double>());
  else
    f(TypeTag<float>());
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
