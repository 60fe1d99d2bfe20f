#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "core/parallel.h"
#include "ops/along_axis_internal.h"
#include "ops/argmax.h"
#include "ops/max.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/max_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/reducers-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {

void extremum_kernel(const Tensor& output, const Tensor& input, const Dims& axes, bool largest,
                     void* partial) {
  visit_compute_type(input.dtype(), [&](auto tag) {
    using C = typename decltype(tag)::type;
    if (largest)
      run_reduction<C>(ExtremumReducer<C, true>(), output, input, axes, partial);
    else
      run_reduction<C>(ExtremumReducer<C, false>(), output, input, axes, partial);
  });
}

template <class C>
bool is_nan(C x) {
  if constexpr (std::is_floating_point_v<C>)
    return std::isnan(x);
  else
    return false;
}

/// Where extreme elements stand along one axis, and, where asked for, the elements.
template <class C, bool kLargest>
class ExtremumSearch {
 public:
  ExtremumSearch(const Tensor& input, int axis, const Tensor& indices, const Tensor& values)
      : input_(input),
        slices_(input.shape(), axis, "extremum"),
        step_(slices_.step(input.strides())),
        direct_(input.dtype() == dtype_of<C>()),
        indices_(static_cast<int64_t*>(indices.raw_data())),
        values_(values) {}

  void run() {
    // Neighbouring slices side by side, where their elements are neighbours and at least half a vector.
    const int axis = slices_.axis(), last = input_.rank() - 1;
    const bool columns = axis < last && input_.shape()[last] >= 8 && input_.strides()[last] == 1 &&
                         slices_.size() <= std::numeric_limits<Index>::max();
    if (columns) {
      const int64_t width = input_.shape()[last], chunks = (width + kColumns - 1) / kColumns;
      const int64_t work = slices_.size() * std::min(width, kColumns);
      parallel_for(0, slices_.count() / width * chunks, std::max<int64_t>(1, kSerialWork / 2 / work),
                   [&](int64_t first, int64_t end) {
                     for (int64_t i = first; i < end; ++i) {
                       const int64_t column = i % chunks * kColumns;
                       search_columns(i / chunks * width + column, std::min(kColumns, width - column));
                     }
                   });
    } else {
      parallel_for(0, slices_.count(), kSerialWork / slices_.size(), [&](int64_t first, int64_t end) {
        for (int64_t slice = first; slice < end; ++slice) search_slice(slice);
      });
    }
  }

 private:
  using Index = std::conditional_t<sizeof(C) == 4, int32_t, int64_t>;
  /// Elements and indices of so many columns fill at most half of a 32 KiB first-level cache, with a row.
  static constexpr int64_t kColumns = 256;

  const char* at(int64_t offset) const {
    return static_cast<const char*>(input_.raw_data()) +
           offset * static_cast<int64_t>(size_of(input_.dtype()));
  }

  const C* elements(int64_t offset, int64_t stride, int64_t n, C* tile) const {
    if (direct_ && stride == 1) return reinterpret_cast<const C*>(at(offset));
    load_tile(tile, input_.dtype(), at(offset), stride, n);
    return tile;
  }

  void store(int64_t slice, const C* values, int64_t n) const {
    if (!values_.defined()) return;
    char* const to =
        static_cast<char*>(values_.raw_data()) + slice * static_cast<int64_t>(size_of(values_.dtype()));
    store_tile(values, values_.dtype(), to, 1, n);
  }

  /// Block by block, of which only the first that has the extreme element is searched for it.
  void search_slice(int64_t slice) const {
    C tile[kTile];
    const int64_t start = slices_.offset(input_.strides(), slice), n = slices_.size();
    const auto block = [&](int64_t begin) {
      return elements(start + begin * step_, step_, std::min(kTile, n - begin), tile);
    };
    const ExtremumReducer<C, kLargest> reducer;
    C best = reducer.identity();
    int64_t found = 0;  // where the block begins
    for (int64_t begin = 0; begin < n && !is_nan(best); begin += kTile) {
      const C extreme = reduce_block<C>(reducer, block(begin), std::min(kTile, n - begin));
      if (extreme == best || reducer.better(best, extreme)) continue;
      best = extreme;
      found = begin;
    }
    const C* const searched = block(found);
    const C* const place = std::find_if(searched, searched + std::min(kTile, n - found),
                                        [&](C x) { return x == best || is_nan(x); });
    indices_[slice] = found + (place - searched);
    store(slice, place, 1);
  }

  /// Row by row: the best element so far of each column, and its row.
  HWY_ATTR void search_columns(int64_t slice, int64_t columns) const {
    const hn::ScalableTag<C> d;
    const hn::Rebind<Index, decltype(d)> di;
    const auto lanes = static_cast<int64_t>(hn::Lanes(d));
    const int64_t start = slices_.offset(input_.strides(), slice);
    // Whole vectors are read and written: a lane past the last column holds what it likes.
    alignas(64) C best[kColumns + hn::MaxLanes(d)], tile[kColumns + hn::MaxLanes(d)];
    alignas(64) Index rows[kColumns + hn::MaxLanes(d)] = {};
    std::fill_n(tile, kColumns + static_cast<int64_t>(hn::MaxLanes(d)), C{0});
    std::copy_n(elements(start, 1, columns, tile), columns, best);
    std::fill(best + columns, best + kColumns + hn::MaxLanes(d), C{0});
    const int64_t whole = columns / lanes * lanes;
    for (int64_t row = 1; row < slices_.size(); ++row) {
      const C* data = elements(start + row * step_, 1, columns, tile);
      const auto place = hn::Set(di, static_cast<Index>(row));
      const auto step = [&](int64_t i, const C* from) HWY_ATTR {
        const auto x = hn::LoadU(d, from), b = hn::Load(d, best + i);
        auto replaces = kLargest ? hn::Gt(x, b) : hn::Lt(x, b);
        if constexpr (std::is_floating_point_v<C>)
          replaces = hn::Or(replaces, hn::AndNot(hn::IsNaN(b), hn::IsNaN(x)));
        hn::Store(hn::IfThenElse(replaces, x, b), d, best + i);
        hn::Store(hn::IfThenElse(hn::RebindMask(di, replaces), place, hn::Load(di, rows + i)), di, rows + i);
      };
      for (int64_t i = 0; i < whole; i += lanes) step(i, data + i);
      if (whole < columns) {
        if (data != tile) std::copy(data + whole, data + columns, tile + whole);
        step(whole, tile + whole);
      }
    }
    std::copy_n(rows, columns, indices_ + slice);
    store(slice, best, columns);
  }

  const Tensor& input_;
  AxisSlices slices_;
  int64_t step_;
  bool direct_;
  int64_t* indices_;
  const Tensor& values_;
};

void search_kernel(const Tensor& input, int axis, bool largest, const Tensor& indices, const Tensor& values) {
  if (indices.numel() == 0) return;
  visit_compute_type(input.dtype(), [&](auto tag) {
    using C = typename decltype(tag)::type;
    if (largest)
      ExtremumSearch<C, true>(input, axis, indices, values).run();
    else
      ExtremumSearch<C, false>(input, axis, indices, values).run();
  });
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier {

HWY_EXPORT(extremum_kernel);
void max_cpu(const Max& op, Inputs inputs, Outputs outputs, void* scratch) {
  ESPALIER_DISPATCH(extremum_kernel)(outputs[0], inputs[0], op.reduced_axes(inputs[0].rank()), true, scratch);
}
void min_cpu(const Min& op, Inputs inputs, Outputs outputs, void* scratch) {
  ESPALIER_DISPATCH(extremum_kernel)(outputs[0], inputs[0], op.reduced_axes(inputs[0].rank()), false,
                                     scratch);
}

HWY_EXPORT(search_kernel);
void argmax_cpu(const Argmax& op, Inputs inputs, Outputs outputs) {
  ESPALIER_DISPATCH(search_kernel)(inputs[0], op.axis(inputs[0].rank()), true, outputs[0], Tensor());
}
void argmin_cpu(const Argmin& op, Inputs inputs, Outputs outputs) {
  ESPALIER_DISPATCH(search_kernel)(inputs[0], op.axis(inputs[0].rank()), false, outputs[0], Tensor());
}
void max_with_indices_cpu(const MaxWithIndices& op, Inputs inputs, Outputs outputs) {
  ESPALIER_DISPATCH(search_kernel)(inputs[0], op.axis(inputs[0].rank()), true, outputs[1], outputs[0]);
}
void min_with_indices_cpu(const MinWithIndices& op, Inputs inputs, Outputs outputs) {
  ESPALIER_DISPATCH(search_kernel)(inputs[0], op.axis(inputs[0].rank()), false, outputs[1], outputs[0]);
}

}  // namespace espalier
#endif
