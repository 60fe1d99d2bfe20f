#include <algorithm>
#include <limits>
#include <type_traits>

#include "ops/argmax.h"
#include "ops/max.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/max_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/reduction-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {

/// The larger of two; NaN where one of them is.
template <class C>
struct MaxReducer {
  using Total = C;

  C identity() const {
    using Limits = std::numeric_limits<C>;
    return Limits::has_infinity ? -Limits::infinity() : Limits::lowest();
  }
  template <class D, class V>
  HWY_ATTR V combine(D, V a, V b) const {
    const V larger = hn::Max(a, b);  // b where that is NaN, on x86 and ARM
    if constexpr (std::is_floating_point_v<C>)
      return hn::IfThenElse(hn::IsNaN(a), a, larger);
    else
      return larger;
  }
  template <class D, class V>
  HWY_ATTR C lanes(D d, V v) const {
    if constexpr (std::is_floating_point_v<C>) {
      if (!hn::AllFalse(d, hn::IsNaN(v))) return std::numeric_limits<C>::quiet_NaN();
    }
    return hn::GetLane(hn::MaxOfLanes(d, v));
  }
  Total combine(Total a, Total b) const { return a > b || a != a ? a : b; }
  Total finish(Total total) const { return total; }
};

void max_kernel(const Tensor& output, const Tensor& input, const Dims& axes) {
  visit_compute_type(input.dtype(), [&](auto tag) {
    using C = typename decltype(tag)::type;
    run_reduction<C>(MaxReducer<C>(), output, input, axes);
  });
}

/// The first place of the largest of `n` elements, `stride` apart: block by block, of which only the first
/// that has the largest is searched.
template <class C>
int64_t argmax_of(const Tensor& input, const char* data, int64_t stride, int64_t n) {
  C tile[kTile];
  const auto block = [&](int64_t begin, int64_t count) -> const C* {
    const char* const from = data + begin * stride * static_cast<int64_t>(size_of(input.dtype()));
    if (input.dtype() == dtype_of<C>() && stride == 1) return reinterpret_cast<const C*>(from);
    load_tile(tile, input.dtype(), from, stride, count);
    return tile;
  };
  const MaxReducer<C> reducer;
  C best = reducer.identity();
  int64_t found = 0;  // where the block begins
  for (int64_t begin = 0; begin < n && best == best; begin += kTile) {
    const int64_t count = std::min(kTile, n - begin);
    const C largest = reduce_block(reducer, block(begin, count), count);
    if (largest <= best) continue;
    best = largest;
    found = begin;
  }
  const int64_t count = std::min(kTile, n - found);
  const C* const elements = block(found, count);
  return found +
         (std::find_if(elements, elements + count, [&](C x) { return x == best || x != x; }) - elements);
}

void argmax_kernel(const Tensor& output, const Tensor& input, int axis) {
  Dims sizes, strides;  // of the axes that stay, in the order of the output
  for (int i = 0; i < input.rank(); ++i) {
    if (i == axis) continue;
    sizes.push_back(input.shape()[i]);
    strides.push_back(input.strides()[i]);
  }
  const int64_t n = input.shape()[axis];
  auto* const places = static_cast<int64_t*>(output.raw_data());
  visit_compute_type(input.dtype(), [&](auto tag) {
    using C = typename decltype(tag)::type;
    parallel_for(0, output.numel(), kSerialWork / n, [&](int64_t first, int64_t last) {
      for (int64_t slice = first; slice < last; ++slice) {
        int64_t offset = 0, rest = slice;
        for (int i = sizes.rank() - 1; i >= 0; --i) {
          offset += rest % sizes[i] * strides[i];
          rest /= sizes[i];
        }
        const char* data = static_cast<const char*>(input.raw_data());
        data += offset * static_cast<int64_t>(size_of(input.dtype()));
        places[slice] = argmax_of<C>(input, data, input.strides()[axis], n);
      }
    });
  });
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier {

HWY_EXPORT(max_kernel);
void max_cpu(const Max& op, Inputs inputs, Outputs outputs) {
  ESPALIER_DISPATCH(max_kernel)(outputs[0], inputs[0], op.reduced_axes(inputs[0].rank()));
}

HWY_EXPORT(argmax_kernel);
void argmax_cpu(const Argmax& op, Inputs inputs, Outputs outputs) {
  const int axis = static_cast<int>(op.reduced_axes(inputs[0].rank())[0]);
  ESPALIER_DISPATCH(argmax_kernel)(outputs[0], inputs[0], axis);
}

}  // namespace espalier
#endif
