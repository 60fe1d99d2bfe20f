#include <algorithm>

#include "core/parallel.h"
#include "ops/reduction_body_internal.h"

namespace espalier {
namespace {

/// Elements of one partial result that a thread computes at a time: enough to pay for a fork, and for the
/// second pass over the partial results of wide rows, which are in double.
inline constexpr int64_t kReductionUnit = 2 * kSerialWork;
/// With so many groups of outputs there is work for all threads without cutting up what ends in one group.
inline constexpr int64_t kReductionGroups = 32;
/// Columns that are reduced at a time: accumulators and four rows stay in the first-level cache.
inline constexpr int64_t kReductionColumns = 1024;
/// Rows that are added up in C before they join the Totals; as far as rounding goes, 64 / 4 + 2 additions.
inline constexpr int64_t kReductionRows = 64;

/// The loops of a reduction, and how they are cut into units, each of which gives partial results for `width`
/// outputs: it reduces `steps` consecutive ones of the `all` segments or rows, of `elements` each, that end
/// in them.
struct ReductionCut {
  ReductionLoop loop;
  int64_t segment = 1, segments = 1;  ///< what a row is cut into, where the innermost axis is reduced
  int64_t chunks = 1, width = 1;      ///< what the innermost axis is cut into, where it is not
  int64_t all = 1, elements = 1, steps = 1;
  int64_t groups = 1;  ///< of units that end in the same outputs
  int64_t units = 1;   ///< in each group

  ReductionCut(const Tensor& input, const Dims& axes) : loop(input, axes) {
    loop.fold_columns(kTile);
    if (loop.inner_reduced) {
      // Neighbouring segments, of one row or several, make a unit.
      segment = std::min(loop.inner.size, kReductionUnit);
      segments = (loop.inner.size + segment - 1) / segment;
      all = loop.reduced_positions * segments;
      elements = segment;
    } else {
      width = std::min(loop.inner.size, kReductionColumns);
      chunks = (loop.inner.size + width - 1) / width;
      all = loop.reduced_positions;
      elements = width * loop.fold;
    }
    groups = loop.kept_positions * chunks;
    steps = groups >= kReductionGroups ? all : std::clamp<int64_t>(kReductionUnit / elements, 1, all);
    units = (all + steps - 1) / steps;
  }

  /// Whether each output is one row, a single block.
  bool is_rows() const {
    return loop.inner_reduced && loop.reduced().empty() && loop.inner.size <= kReductionBlock;
  }
  /// Partial results that wait for each other.
  int64_t waiting() const { return is_rows() || units == 1 ? 0 : groups * units * width; }
};

template <class C, class E, class Total>
class ReductionRun {
 public:
  ReductionRun(const ReductionBody<C, E, Total>& body, const Tensor& output, const Tensor& input,
               const Dims& axes, const C* centres, Total* partial)
      : body_(body),
        cut_(input, axes),
        input_(input),
        output_(output),
        centres_(centres),
        waiting_(cut_.waiting() > 0 ? partial : nullptr),
        direct_(input.dtype() == dtype_of<E>() && loop_.inner.input == 1) {}

  void run() {
    if (cut_.is_rows())
      run_rows();
    else
      run_units();
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

  void reduce_rows_of(int64_t input, int64_t input_step, int64_t rows, int64_t output,
                      int64_t output_step) const {
    E tile[kReductionBlock];
    Total totals[kTile];
    for (int64_t row = 0; row < rows; ++row) {
      const E* const data = elements(input + row * input_step, loop_.inner.size, tile);
      const C centre = centre_at(output + row * output_step);
      totals[row] = static_cast<Total>(body_.block(body_.reducer, data, loop_.inner.size, centre));
    }
    body_.finish(body_.reducer, totals, rows);
    store_tile(totals, output_.dtype(), output_at(output), output_step, rows);
  }

  void run_units() {
    const int64_t groups = cut_.groups, units = cut_.units, width = cut_.width;
    const int64_t grain = std::max<int64_t>(1, kSerialWork / (cut_.steps * cut_.elements));
    parallel_for(0, groups * units, grain, [&](int64_t first, int64_t last) {
      Total totals[kReductionColumns];
      for (int64_t unit = first; unit < last; ++unit) {
        const int64_t group = unit / units, begin = unit % units * cut_.steps;
        Total* const to = waiting_ ? waiting_ + unit * width : totals;
        reduce_unit(group, begin, std::min(cut_.all, begin + cut_.steps), to);
        if (!waiting_) store(group, to);
      }
    });
    if (!waiting_) return;
    const int64_t group_grain = std::max<int64_t>(1, kSerialWork / (units * width));
    parallel_for(0, groups, group_grain, [&](int64_t first, int64_t last) {
      for (int64_t group = first; group < last; ++group) {
        Total* const totals = waiting_ + group * units * width;
        // The last chunk of a row may be narrower: what lies behind it was never written.
        const int64_t used = loop_.inner_reduced ? 1 : columns_of(group % cut_.chunks);
        for (int64_t unit = 1; unit < units; ++unit) {
          body_.combine(body_.reducer, totals, totals + unit * width, used);
        }
        store(group, totals);
      }
    });
  }

  int64_t columns_of(int64_t chunk) const {
    return std::min(kReductionColumns, loop_.inner.size - chunk * kReductionColumns);
  }

  void reduce_unit(int64_t group, int64_t first, int64_t last, Total* totals) const {
    const int64_t chunks = cut_.chunks;
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
    auto total = static_cast<Total>(body_.identity);
    for (int64_t segment = first; segment < last; ++segment) {
      const int64_t begin = segment % cut_.segments * cut_.segment;
      const int64_t end = std::min(loop_.inner.size, begin + cut_.segment);
      const int64_t row =
          start + offset_at(loop_.reduced(), segment / cut_.segments, &ReductionLoop::Axis::input);
      for (int64_t i = begin; i < end; i += kReductionBlock) {
        const int64_t n = std::min(kReductionBlock, end - i);
        const E* const data = elements(row + i * loop_.inner.input, n, tile);
        const C found = body_.block(body_.reducer, data, n, centre);
        body_.combine_sums(body_.reducer, &total, &found, 1);
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

  void reduce_columns(int64_t start, int64_t output, int64_t columns, int64_t first, int64_t last,
                      Total* totals) const {
    alignas(64) C sums[kReductionColumns];
    C centre_buffer[kReductionColumns];
    E tile[kReductionColumns];
    const int64_t width = columns * loop_.fold;
    const C* const centres = column_centres(output, columns, centre_buffer);
    std::fill_n(totals, columns, static_cast<Total>(body_.identity));
    const auto row_at = [&](int64_t row) {
      return start + offset_at(loop_.reduced(), row, &ReductionLoop::Axis::input);
    };
    for (int64_t row = first; row < last;) {
      std::fill_n(sums, width, body_.identity);
      const int64_t strip = std::min(last, row + kReductionRows);
      while (row < strip) {
        bool four = direct_ && row + 4 <= strip;
        for (int64_t i = row; four && i < row + 4; ++i) four = row_width(i, columns) == width;
        if (four) {
          std::array<const E*, 4> rows;
          for (size_t i = 0; i < 4; ++i)
            rows[i] = elements(row_at(row + static_cast<int64_t>(i)), width, tile);
          body_.four_rows(body_.reducer, sums, rows, centres, width);
          row += 4;
        } else {
          const int64_t n = row_width(row, columns);
          body_.row(body_.reducer, sums, elements(row_at(row), n, tile), centres, n);
          ++row;
        }
      }
      for (int64_t part = 0; part < loop_.fold; ++part) {
        body_.combine_sums(body_.reducer, totals, sums + part * columns, columns);
      }
    }
  }

  void store(int64_t group, Total* totals) const {
    const int64_t chunks = cut_.chunks, chunk = group % chunks;
    const int64_t n = loop_.inner_reduced ? 1 : columns_of(chunk);
    body_.finish(body_.reducer, totals, n);
    const int64_t offset = offset_at(loop_.kept(), group / chunks, &ReductionLoop::Axis::output) +
                           chunk * kReductionColumns * loop_.inner.output;
    store_tile(totals, output_.dtype(), output_at(offset), loop_.inner.output, n);
  }

  const ReductionBody<C, E, Total>& body_;
  const ReductionCut cut_;
  const ReductionLoop& loop_ = cut_.loop;
  const Tensor& input_;
  const Tensor& output_;
  const C* centres_;
  Total* waiting_;  ///< the partial results; null where units have nothing to wait for
  bool direct_;
};

}  // namespace

template <class C, class E, class Total>
void run_reduction_body(const ReductionBody<C, E, Total>& body, const Tensor& output, const Tensor& input,
                        const Dims& axes, void* partial, const Tensor& centres) {
  if (output.numel() == 0) return;
  if (input.numel() == 0) {
    auto total = static_cast<Total>(body.identity);
    body.finish(body.reducer, &total, 1);
    const auto bytes = static_cast<int64_t>(size_of(output.dtype()));
    for (int64_t i = 0; i < output.numel(); ++i)
      store_tile(&total, output.dtype(), static_cast<char*>(output.raw_data()) + i * bytes, 1, 1);
    return;
  }
  const C* const centre_data = centres.defined() ? static_cast<const C*>(centres.raw_data()) : nullptr;
  ReductionRun<C, E, Total>(body, output, input, axes, centre_data, static_cast<Total*>(partial)).run();
}

size_t partial_bytes(const Tensor& input, const Dims& axes) {
  if (input.numel() == 0) return 0;
  return static_cast<size_t>(ReductionCut(input, axes).waiting()) * sizeof(double);
}

#define ESPALIER_REDUCTION(C, E, Total)                                                           \
  template void run_reduction_body<C, E, Total>(const ReductionBody<C, E, Total>&, const Tensor&, \
                                                const Tensor&, const Dims&, void*, const Tensor&)
ESPALIER_REDUCTION(double, double, double);
ESPALIER_REDUCTION(double, float, double);
ESPALIER_REDUCTION(float, float, double);
ESPALIER_REDUCTION(float, float, float);
ESPALIER_REDUCTION(int32_t, int32_t, int32_t);
ESPALIER_REDUCTION(int64_t, int64_t, int64_t);
ESPALIER_REDUCTION(double, double, int64_t);
ESPALIER_REDUCTION(float, float, int64_t);
ESPALIER_REDUCTION(int32_t, int32_t, int64_t);
#undef ESPALIER_REDUCTION

}  // namespace espalier
