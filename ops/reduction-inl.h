// Vectorised reductions, compiled once per instruction set: include it inside a file set up as
// core/highway_internal.h says, after "hwy/highway.h". A reduction brings a class like this and calls
// run_reduction:
//
//   struct Reducer : PlainElements {                   // or with a map() of its own
//     using Total = ...;                               // what partial results of C are collected in
//     C identity() const;
//     V combine(D d, V a, V b) const;                  // vectors of C
//     C lanes(D d, V v) const;                         // a vector's lanes in one
//     Total combine(Total a, Total b) const;
//     Total finish(Total total) const;
//   };
//
// Elements lie in memory in type E, or are converted to it, and are computed in C, which is E or wider. A
// second pass over a slice (deviations from its mean, say) gets what the first one found as the slice's
// centre. Only loops over neighbours are compiled for each reducer; how a problem is cut into them is in
// ops/reduction_body.cc.
//
// Each partial result is made of a fixed part of the input, so results do not depend on the number of
// threads.

#if defined(ESPALIER_REDUCTION_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ESPALIER_REDUCTION_INL_H_
#undef ESPALIER_REDUCTION_INL_H_
#else
#define ESPALIER_REDUCTION_INL_H_
#endif

#include <array>
#include <type_traits>

#include "core/masked-inl.h"
#include "hwy/highway.h"
#include "ops/reduction_body_internal.h"

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// What becomes of an element before it is combined with others: nothing. Reducers derive from this or bring
/// the same function; `centre` is that of the slice, in each lane, or 0 where the reduction has none.
struct PlainElements {
  template <class D, class V>
  HWY_ATTR V map(D, V x, V /*centre*/) const {
    return x;
  }
};

/// Vectors of C from elements of type E, which is C or narrower.
template <class C, class E>
struct ReductionLoads {
  using D = hn::ScalableTag<C>;
  using V = hn::Vec<D>;
  using Narrow = hn::Rebind<E, D>;

  HWY_ATTR static V all(const E* data) {
    if constexpr (std::is_same_v<C, E>)
      return hn::LoadU(D(), data);
    else
      return hn::PromoteTo(D(), hn::LoadU(Narrow(), data));
  }
  /// The first `n` lanes; 0 in the others.
  HWY_ATTR static V first(const E* data, int64_t n) {
    const Narrow d;
    const auto read = load_first(hn::FirstN(d, static_cast<size_t>(n)), d, data);
    if constexpr (std::is_same_v<C, E>)
      return read;
    else
      return hn::PromoteTo(D(), read);
  }
};

/// `n` neighbours in one.
template <class C, class E, class R>
HWY_ATTR C reduce_block(const R& reducer, const E* data, int64_t n, C centre = C{0}) {
  using Loads = ReductionLoads<C, E>;
  const hn::ScalableTag<C> d;
  const auto c = hn::Set(d, centre);
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  auto a0 = hn::Set(d, reducer.identity());
  int64_t i = 0;
  if (n >= 4 * lanes) {
    a0 = reducer.map(d, Loads::all(data), c);
    auto a1 = reducer.map(d, Loads::all(data + lanes), c),
         a2 = reducer.map(d, Loads::all(data + 2 * lanes), c),
         a3 = reducer.map(d, Loads::all(data + 3 * lanes), c);
    for (i = 4 * lanes; i + 4 * lanes <= n; i += 4 * lanes) {
      a0 = reducer.combine(d, a0, reducer.map(d, Loads::all(data + i), c));
      a1 = reducer.combine(d, a1, reducer.map(d, Loads::all(data + i + lanes), c));
      a2 = reducer.combine(d, a2, reducer.map(d, Loads::all(data + i + 2 * lanes), c));
      a3 = reducer.combine(d, a3, reducer.map(d, Loads::all(data + i + 3 * lanes), c));
    }
    a0 = reducer.combine(d, reducer.combine(d, a0, a1), reducer.combine(d, a2, a3));
  }
  for (; i + lanes <= n; i += lanes) a0 = reducer.combine(d, a0, reducer.map(d, Loads::all(data + i), c));
  if (i < n) {
    const auto rest = hn::FirstN(d, static_cast<size_t>(n - i));
    const auto identity = hn::Set(d, reducer.identity());
    const auto last = reducer.map(d, Loads::first(data + i, n - i), c);
    a0 = reducer.combine(d, a0, hn::IfThenElse(rest, last, identity));
  }
  return reducer.lanes(d, a0);
}

/// Combines a row, or four, into the accumulators of as many columns, of which each has a centre.
template <class C, class E, size_t N, class R>
HWY_ATTR void reduce_rows(const R& reducer, C* sums, const std::array<const E*, N>& rows, const C* centres,
                          int64_t n) {
  using Loads = ReductionLoads<C, E>;
  const hn::ScalableTag<C> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto combined = [&](auto load) HWY_ATTR {
    if constexpr (N == 4) {
      return reducer.combine(d, reducer.combine(d, load(rows[0]), load(rows[1])),
                             reducer.combine(d, load(rows[2]), load(rows[3])));
    } else {
      return load(rows[0]);
    }
  };
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const auto c = centres ? hn::LoadU(d, centres + i) : hn::Zero(d);
    const auto row =
        combined([&](const E* data) HWY_ATTR { return reducer.map(d, Loads::all(data + i), c); });
    hn::StoreU(reducer.combine(d, hn::LoadU(d, sums + i), row), d, sums + i);
  }
  if (i < n) {
    const auto rest = hn::FirstN(d, static_cast<size_t>(n - i));
    const auto c = centres ? load_first(rest, d, centres + i) : hn::Zero(d);
    const auto row =
        combined([&](const E* data) HWY_ATTR { return reducer.map(d, Loads::first(data + i, n - i), c); });
    hn::BlendedStore(reducer.combine(d, load_first(rest, d, sums + i), row), rest, d, sums + i);
  }
}

/// Reduces `axes`, sorted, of `input` into `output`, which is row-major, with `partial` of partial_bytes().
/// Elements are read in E and computed in C; `centres`, if any, has the output's shape, row-major, and type
/// C.
template <class C, class E = C, class R>
void run_reduction(const R& reducer, const Tensor& output, const Tensor& input, const Dims& axes,
                   void* partial, const Tensor& centres = Tensor()) {
  using Total = typename R::Total;
  ReductionBody<C, E, Total> body;
  body.reducer = &reducer;
  body.identity = reducer.identity();
  body.block = [](const void* r, const E* data, int64_t n, C centre)
                   HWY_ATTR { return reduce_block<C>(*static_cast<const R*>(r), data, n, centre); };
  body.row = [](const void* r, C* sums, const E* row, const C* centres_of, int64_t n)
                 HWY_ATTR { reduce_rows(*static_cast<const R*>(r), sums, std::array{row}, centres_of, n); };
  body.four_rows =
      [](const void* r, C* sums, const std::array<const E*, 4>& rows, const C* centres_of, int64_t n)
          HWY_ATTR { reduce_rows(*static_cast<const R*>(r), sums, rows, centres_of, n); };
  body.combine = [](const void* r, Total* totals, const Total* others, int64_t n) HWY_ATTR {
    const R& with = *static_cast<const R*>(r);
    for (int64_t i = 0; i < n; ++i) totals[i] = with.combine(totals[i], others[i]);
  };
  body.combine_sums = [](const void* r, Total* totals, const C* sums, int64_t n) HWY_ATTR {
    const R& with = *static_cast<const R*>(r);
    for (int64_t i = 0; i < n; ++i) totals[i] = with.combine(totals[i], static_cast<Total>(sums[i]));
  };
  body.finish = [](const void* r, Total* totals, int64_t n) {
    for (int64_t i = 0; i < n; ++i) totals[i] = static_cast<const R*>(r)->finish(totals[i]);
  };
  run_reduction_body(body, output, input, axes, partial, centres);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
