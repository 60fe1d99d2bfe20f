// What the kernels of recurrent cells share, compiled once per instruction set: include it inside a file set
// up as core/highway_internal.h says, after "hwy/highway.h".

#if defined(ESPALIER_RECURRENT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ESPALIER_RECURRENT_INL_H_
#undef ESPALIER_RECURRENT_INL_H_
#else
#define ESPALIER_RECURRENT_INL_H_
#endif

#include <algorithm>

#include "core/masked-inl.h"
#include "core/parallel.h"
#include "hwy/highway.h"
#include "ops/recurrent_internal.h"
#include "ops/vector_math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {

/// Calls `row(n)` for each sequence of a batch; each of its `width` units takes `exponentials` exponential
/// functions, at 20 simple operations each.
template <class Row>
void for_each_sequence(int64_t batch, int64_t width, int64_t exponentials, Row&& row) {
  const int64_t work = 20 * exponentials * std::max<int64_t>(width, 1);
  parallel_for(0, batch, std::max<int64_t>(1, kSerialWork / work), [&](int64_t first, int64_t last) {
    for (int64_t n = first; n < last; ++n) row(n);
  });
}

/// Calls `f(mask, i)` for the vectors of a row of `n` elements; the mask names the lanes that count.
template <class D, class F>
HWY_INLINE void for_each_vector(D d, int64_t n, F&& f) {
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t i = 0; i < n; i += lanes) f(hn::FirstN(d, static_cast<size_t>(std::min(lanes, n - i))), i);
}

/// The derivative of the logistic function, and of tanh, from their values.
template <class V>
HWY_INLINE V logistic_slope(V s) {
  return hn::NegMulAdd(s, s, s);
}
template <class D, class V>
HWY_INLINE V tanh_slope(D d, V t) {
  return hn::NegMulAdd(t, t, hn::Set(d, hn::TFromD<D>{1}));
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
