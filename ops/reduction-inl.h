// Vectorised reductions, compiled once per instruction set: include it inside a file set up as
// core/highway_internal.h says, after "hwy/highway.h". A reduction brings a class like this and calls
// run_reduction:
//
//   struct Reducer {
//     using Total = ...;                               // what partial results of C are collected in
//     C identity() const;
//     V combine(D d, V a, V b) const;                  // vectors of C
//     C lanes(D d, V v) const;                         // a vector's lanes in one
//     Total combine(Total a, Total b) const;
//     Total finish(Total total) const;
//   };
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

/// `n` neighbours in one.
template <class C, class R>
HWY_ATTR C reduce_block(const R& reducer, const C* data, int64_t n) {
  const hn::ScalableTag<C> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  auto a0 = hn::Set(d, reducer.identity());
  int64_t i = 0;
  if (n >= 4 * lanes) {
    a0 = hn::LoadU(d, data);
    auto a1 = hn::LoadU(d, data + lanes), a2 = hn::LoadU(d, data + 2 * lanes),
         a3 = hn::LoadU(d, data + 3 * lanes);
    for (i = 4 * lanes; i + 4 * lanes <= n; i += 4 * lanes) {
      a0 = reducer.combine(d, a0, hn::LoadU(d, data + i));
      a1 = reducer.combine(d, a1, hn::LoadU(d, data + i + lanes));
      a2 = reducer.combine(d, a2, hn::LoadU(d, data + i + 2 * lanes));
      a3 = reducer.combine(d, a3, hn::LoadU(d, data + i + 3 * lanes));
    }
    a0 = reducer.combine(d, reducer.combine(d, a0, a1), reducer.combine(d, a2, a3));
  }
  for (; i + lanes <= n; i += lanes) a0 = reducer.combine(d, a0, hn::LoadU(d, data + i));
  if (i < n) {
    const auto rest = hn::FirstN(d, static_cast<size_t>(n - i));
    const auto identity = hn::Set(d, reducer.identity());
    a0 = reducer.combine(d, a0, hn::IfThenElse(rest, load_first(rest, d, data + i), identity));
  }
  return reducer.lanes(d, a0);
}

/// Combines a row, or four, into the accumulators of as many columns.
template <class C, size_t N, class R>
HWY_ATTR void reduce_rows(const R& reducer, C* sums, const std::array<const C*, N>& rows, int64_t n) {
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
    const auto row = combined([&](const C* data) HWY_ATTR { return hn::LoadU(d, data + i); });
    hn::StoreU(reducer.combine(d, hn::LoadU(d, sums + i), row), d, sums + i);
  }
  if (i < n) {
    const auto rest = hn::FirstN(d, static_cast<size_t>(n - i));
    const auto row = combined([&](const C* data) HWY_ATTR { return load_first(rest, d, data + i); });
    hn::BlendedStore(reducer.combine(d, load_first(rest, d, sums + i), row), rest, d, sums + i);
  }
}

/// A problem and how it is cut into units, each of which gives partial results for `width` outputs.
template <class C, class R>
class ReductionRun {
 public:
  using Total = typename R::Total;

  ReductionRun(const R& reducer, const Tensor& output, const Tensor& input, const Dims& axes)
      : reducer_(reducer), loop_(input, axes), input_(input), output_(output) {
    loop_.fold_columns(kTile);
    direct_ = input.dtype() == dtype_of<C>() && loop_.inner.input == 1;
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
    C tile[kReductionBlock];
    Total totals[kTile];
    for (int64_t row = 0; row < rows; ++row) {
      const C* const data = elements(input + row * input_step, loop_.inner.size, tile);
      totals[row] = reducer_.finish(static_cast<Total>(reduce_block(reducer_, data, loop_.inner.size)));
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
        for (int64_t unit = 1; unit < units; ++unit) {
          for (int64_t i = 0; i < width; ++i) {
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
    if (loop_.inner_reduced) {
      *totals = reduce_segments(start, first, last);
    } else {
      const int64_t chunk = group % chunks;
      reduce_columns(start + chunk * kReductionColumns * loop_.inner.input, columns_of(chunk), first, last,
                     totals);
    }
  }

  const char* at(int64_t offset) const {
    return static_cast<const char*>(input_.raw_data()) +
           offset * static_cast<int64_t>(size_of(input_.dtype()));
  }

  char* output_at(int64_t offset) const {
    return static_cast<char*>(output_.raw_data()) + offset * static_cast<int64_t>(size_of(output_.dtype()));
  }

  /// `n` elements of the innermost axis as neighbours of type C: where they lie, or converted in `tile`.
  const C* elements(int64_t offset, int64_t n, C* tile) const {
    if (direct_) return reinterpret_cast<const C*>(at(offset));
    load_tile(tile, input_.dtype(), at(offset), loop_.inner.input, n);
    return tile;
  }

  Total reduce_segments(int64_t start, int64_t first, int64_t last) const {
    C tile[kReductionBlock];
    auto total = static_cast<Total>(reducer_.identity());
    for (int64_t segment = first; segment < last; ++segment) {
      const int64_t begin = segment % segments_ * segment_;
      const int64_t end = std::min(loop_.inner.size, begin + segment_);
      const int64_t row =
          start + offset_at(loop_.reduced(), segment / segments_, &ReductionLoop::Axis::input);
      for (int64_t i = begin; i < end; i += kReductionBlock) {
        const int64_t n = std::min(kReductionBlock, end - i);
        const C* const data = elements(row + i * loop_.inner.input, n, tile);
        total = reducer_.combine(total, static_cast<Total>(reduce_block(reducer_, data, n)));
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

  HWY_ATTR void reduce_columns(int64_t start, int64_t columns, int64_t first, int64_t last,
                               Total* totals) const {
    alignas(64) C sums[kReductionColumns];
    C tile[kReductionColumns];
    const int64_t width = columns * loop_.fold;
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
          std::array<const C*, 4> rows;
          for (size_t i = 0; i < 4; ++i)
            rows[i] = elements(row_at(row + static_cast<int64_t>(i)), width, tile);
          reduce_rows<C>(reducer_, sums, rows, width);
          row += 4;
        } else {
          const int64_t n = row_width(row, columns);
          reduce_rows<C>(reducer_, sums, std::array<const C*, 1>{elements(row_at(row), n, tile)}, n);
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
  bool direct_;
  int64_t segment_ = 1, segments_ = 1;
};

/// Reduces `axes`, sorted, of `input` into `output`. Elements are computed in C.
template <class C, class R>
void run_reduction(const R& reducer, const Tensor& output, const Tensor& input, const Dims& axes) {
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
  ReductionRun<C, R>(reducer, output, input, axes).run();
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
