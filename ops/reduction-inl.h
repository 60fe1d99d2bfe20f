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
// centre.
//
// Each partial result is made of a fixed part of the input, so results do not depend on the number of
// threads.

#if defined(ESPALIER_REDUCTION_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ESPALIER_REDUCTION_INL_H_
#undef ESPALIER_REDUCTION_INL_H_
#else
#define ESPALIER_REDUCTION_INL_H_
#endif

#include <algorithm>
#include <array>
#include <type_traits>

#include "core/masked-inl.h"
#include "core/parallel.h"
#include "hwy/highway.h"
#include "ops/elementwise_internal.h"
#include "ops/reduction_loop_internal.h"

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// Elements of one partial result that a thread computes at a time: enough to pay for a fork, and for the
/// second pass over the partial results of wide rows, which are in double.
inline constexpr int64_t kReductionUnit = 2 * kSerialWork;
/// With so many groups of outputs there is work for all threads without cutting up what ends in one group.
inline constexpr int64_t kReductionGroups = 32;
/// Neighbours that go into one partial result in C before it joins a Total: enough to hide the cost of adding
/// up a vector's lanes. Spread over 4 vectors, they are 64 additions to each lane with AVX-512 (256 with
/// SSE4), which bounds the rounding error of a sum of floats, however long, by (64 + 6) 2^-24 sum |x|.
inline constexpr int64_t kReductionBlock = 4096;
/// Columns that are reduced at a time: accumulators and four rows stay in the first-level cache.
inline constexpr int64_t kReductionColumns = 1024;
/// Rows that are added up in C before they join the Totals; as far as rounding goes, 64 / 4 + 2 additions.
inline constexpr int64_t kReductionRows = 64;

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

/// A problem and how it is cut into units, each of which gives partial results for `width` outputs.
template <class C, class E, class R>
class ReductionRun {
 public:
  using Total = typename R::Total;

  ReductionRun(const R& reducer, const Tensor& output, const Tensor& input, const Dims& axes,
               const C* centres)
      : reducer_(reducer), loop_(input, axes), input_(input), output_(output), centres_(centres) {
    loop_.fold_columns(kTile);
    direct_ = input.dtype() == dtype_of<E>() && loop_.inner.input == 1;
  }

  void run() {
    if (loop_.inner_reduced && loop_.reduced().empty() && loop_.inner.size <= kReductionBlock) {
      run_rows();
    } else if (loop_.inner_reduced) {
      // A row is cut into segments; neighbouring segments, of one row or several, make a unit.
      segment_ = std::min(loop_.inner.size, kReductionUnit);
      segments_ = (loop_.inner.size + segment_ - 1) / segment_;
      run_units(1, 1, loop_.reduced_positions * segments_, segment_);
    } else {
      const int64_t width = std::min(loop_.inner.size, kReductionColumns);
      run_units((loop_.inner.size + width - 1) / width, width, loop_.reduced_positions, width * loop_.fold);
    }
  }

 private:
  /// Each output is one row, a single block.
  void run_rows() {
    const int64_t grain = std::max<int64_t>(1, kSerialWork / loop_.inner.size);
    parallel_for(0, loop_.kept_positions, grain, [&](int64_t first, int64_t last) {
      // Runs of rows along the innermost axis that is kept.
      const ReductionLoop::Axis axis =
          loop_.kept().empty() ? ReductionLoop::Axis{1, 0, 1} : loop_.kept().back();
      while (first < last) {
        const int64_t run = std::min({last - first, axis.size - first % axis.size, kTile});
        reduce_rows_of(offset_at(loop_.kept(), first, &ReductionLoop::Axis::input), axis.input, run,
                       offset_at(loop_.kept(), first, &ReductionLoop::Axis::output), axis.output);
        first += run;
      }
    });
  }

  HWY_ATTR void reduce_rows_of(int64_t input, int64_t input_step, int64_t rows, int64_t output,
                               int64_t output_step) const {
    E tile[kReductionBlock];
    Total totals[kTile];
    for (int64_t row = 0; row < rows; ++row) {
      const E* const data = elements(input + row * input_step, loop_.inner.size, tile);
      const C found =
          reduce_block<C>(reducer_, data, loop_.inner.size, centre_at(output + row * output_step));
      totals[row] = reducer_.finish(static_cast<Total>(found));
    }
    store_tile(totals, output_.dtype(), output_at(output), output_step, rows);
  }

  /// A unit reduces `steps` consecutive ones of the `all` segments or rows, of `elements` each, that end in
  /// the same `width` outputs, of which there are `chunks` for each position that is kept.
  void run_units(int64_t chunks, int64_t width, int64_t all, int64_t elements) {
    const int64_t groups = loop_.kept_positions * chunks;
    const int64_t steps =
        groups >= kReductionGroups ? all : std::clamp<int64_t>(kReductionUnit / elements, 1, all);
    const int64_t units = (all + steps - 1) / steps;
    // Partial results wait for each other where there are several.
    const Tensor partial = units > 1 ? empty({groups * units, width}, dtype_of<Total>()) : Tensor();
    Total* const waiting = units > 1 ? static_cast<Total*>(partial.raw_data()) : nullptr;
    const int64_t grain = std::max<int64_t>(1, kSerialWork / (steps * elements));
    parallel_for(0, groups * units, grain, [&](int64_t first, int64_t last) {
      Total totals[kReductionColumns];
      for (int64_t unit = first; unit < last; ++unit) {
        const int64_t group = unit / units, begin = unit % units * steps;
        Total* const to = waiting ? waiting + unit * width : totals;
        reduce_unit(group, chunks, begin, std::min(all, begin + steps), to);
        if (!waiting) store(group, chunks, to);
      }
    });
    if (!waiting) return;
    const int64_t group_grain = std::max<int64_t>(1, kSerialWork / (units * width));
    parallel_for(0, groups, group_grain, [&](int64_t first, int64_t last) {
      for (int64_t group = first; group < last; ++group) {
        Total* const totals = waiting + group * units * width;
        // The last chunk of a row may be narrower: what lies behind it was never written.
        const int64_t used = loop_.inner_reduced ? 1 : columns_of(group % chunks);
        for (int64_t unit = 1; unit < units; ++unit) {
          for (int64_t i = 0; i < used; ++i) {
            totals[i] = reducer_.combine(totals[i], totals[unit * width + i]);
          }
        }
        store(group, chunks, totals);
      }
    });
  }

  int64_t columns_of(int64_t chunk) const {
    return std::min(kReductionColumns, loop_.inner.size - chunk * kReductionColumns);
  }

  void reduce_unit(int64_t group, int64_t chunks, int64_t first, int64_t last, Total* totals) const {
    const int64_t start = offset_at(loop_.kept(), group / chunks, &ReductionLoop::Axis::input);
    const int64_t to = offset_at(loop_.kept(), group / chunks, &ReductionLoop::Axis::output);
    if (loop_.inner_reduced) {
      *totals = reduce_segments(start, centre_at(to), first, last);
    } else {
      const int64_t column = group % chunks * kReductionColumns;
      reduce_columns(start + column * loop_.inner.input, to + column * loop_.inner.output,
                     columns_of(group % chunks), first, last, totals);
    }
  }

  const char* at(int64_t offset) const {
    return static_cast<const char*>(input_.raw_data()) +
           offset * static_cast<int64_t>(size_of(input_.dtype()));
  }

  char* output_at(int64_t offset) const {
    return static_cast<char*>(output_.raw_data()) + offset * static_cast<int64_t>(size_of(output_.dtype()));
  }

  /// The centre of the slice that ends in an output.
  C centre_at(int64_t output) const { return centres_ ? centres_[output] : C{0}; }

  /// `n` elements of the innermost axis as neighbours of type E: where they lie, or converted in `tile`.
  const E* elements(int64_t offset, int64_t n, E* tile) const {
    if (direct_) return reinterpret_cast<const E*>(at(offset));
    load_tile(tile, input_.dtype(), at(offset), loop_.inner.input, n);
    return tile;
  }

  Total reduce_segments(int64_t start, C centre, int64_t first, int64_t last) const {
    E tile[kReductionBlock];
    auto total = static_cast<Total>(reducer_.identity());
    for (int64_t segment = first; segment < last; ++segment) {
      const int64_t begin = segment % segments_ * segment_;
      const int64_t end = std::min(loop_.inner.size, begin + segment_);
      const int64_t row =
          start + offset_at(loop_.reduced(), segment / segments_, &ReductionLoop::Axis::input);
      for (int64_t i = begin; i < end; i += kReductionBlock) {
        const int64_t n = std::min(kReductionBlock, end - i);
        const E* const data = elements(row + i * loop_.inner.input, n, tile);
        total = reducer_.combine(total, static_cast<Total>(reduce_block<C>(reducer_, data, n, centre)));
      }
    }
    return total;
  }

  /// Elements of row `row`, of which a full one has `width`.
  int64_t row_width(int64_t row, int64_t columns) const {
    if (loop_.last_fold == loop_.fold || (row + 1) % loop_.reduced().back().size != 0)
      return columns * loop_.fold;
    return columns * loop_.last_fold;
  }

  /// The columns' centres, repeated for each part of a folded row, in `buffer`; null where there are none.
  const C* column_centres(int64_t output, int64_t columns, C* buffer) const {
    if (!centres_) return nullptr;
    for (int64_t i = 0; i < columns; ++i) buffer[i] = centres_[output + i * loop_.inner.output];
    for (int64_t i = columns; i < columns * loop_.fold; ++i) buffer[i] = buffer[i - columns];
    return buffer;
  }

  HWY_ATTR void reduce_columns(int64_t start, int64_t output, int64_t columns, int64_t first, int64_t last,
                               Total* totals) const {
    alignas(64) C sums[kReductionColumns];
    C centre_buffer[kReductionColumns];
    E tile[kReductionColumns];
    const int64_t width = columns * loop_.fold;
    const C* const centres = column_centres(output, columns, centre_buffer);
    std::fill_n(totals, columns, static_cast<Total>(reducer_.identity()));
    const auto row_at = [&](int64_t row) {
      return start + offset_at(loop_.reduced(), row, &ReductionLoop::Axis::input);
    };
    for (int64_t row = first; row < last;) {
      std::fill_n(sums, width, reducer_.identity());
      const int64_t strip = std::min(last, row + kReductionRows);
      while (row < strip) {
        bool four = direct_ && row + 4 <= strip;
        for (int64_t i = row; four && i < row + 4; ++i) four = row_width(i, columns) == width;
        if (four) {
          std::array<const E*, 4> rows;
          for (size_t i = 0; i < 4; ++i)
            rows[i] = elements(row_at(row + static_cast<int64_t>(i)), width, tile);
          reduce_rows(reducer_, sums, rows, centres, width);
          row += 4;
        } else {
          const int64_t n = row_width(row, columns);
          reduce_rows(reducer_, sums, std::array{elements(row_at(row), n, tile)}, centres, n);
          ++row;
        }
      }
      for (int64_t part = 0; part < loop_.fold; ++part) {
        for (int64_t i = 0; i < columns; ++i) {
          totals[i] = reducer_.combine(totals[i], static_cast<Total>(sums[part * columns + i]));
        }
      }
    }
  }

  void store(int64_t group, int64_t chunks, Total* totals) const {
    const int64_t chunk = group % chunks;
    const int64_t n = loop_.inner_reduced ? 1 : columns_of(chunk);
    for (int64_t i = 0; i < n; ++i) totals[i] = reducer_.finish(totals[i]);
    const int64_t offset = offset_at(loop_.kept(), group / chunks, &ReductionLoop::Axis::output) +
                           chunk * kReductionColumns * loop_.inner.output;
    store_tile(totals, output_.dtype(), output_at(offset), loop_.inner.output, n);
  }

  const R& reducer_;
  ReductionLoop loop_;
  const Tensor& input_;
  const Tensor& output_;
  const C* centres_;
  bool direct_;
  int64_t segment_ = 1, segments_ = 1;
};

/// Reduces `axes`, sorted, of `input` into `output`, which is row-major. Elements are read in E and computed
/// in C; `centres`, if any, has the output's shape, row-major, and type C.
template <class C, class E = C, class R>
void run_reduction(const R& reducer, const Tensor& output, const Tensor& input, const Dims& axes,
                   const Tensor& centres = Tensor()) {
  if (output.numel() == 0) return;
  if (input.numel() == 0) {
    using Total = typename R::Total;
    const Total total = reducer.finish(static_cast<Total>(reducer.identity()));
    for (int64_t i = 0; i < output.numel(); ++i) {
      store_tile(&total, output.dtype(),
                 static_cast<char*>(output.raw_data()) + i * static_cast<int64_t>(size_of(output.dtype())), 1,
                 1);
    }
    return;
  }
  const C* const centre_data = centres.defined() ? static_cast<const C*>(centres.raw_data()) : nullptr;
  ReductionRun<C, E, R>(reducer, output, input, axes, centre_data).run();
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
