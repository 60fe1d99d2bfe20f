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
    auto takes_a = hn::Gt(a, b);
    if constexpr (std::is_floating_point_v<C>) takes_a = hn::Or(takes_a, hn::IsNaN(a));
    return hn::IfThenElse(takes_a, a, b);
  }
  template <class D, class V>
  HWY_ATTR C lanes(D d, V v) const {
    C each[hn::MaxLanes(D())];
    hn::StoreU(v, d, each);
    C total = each[0];
    for (size_t i = 1; i < hn::Lanes(d); ++i) total = combine(total, each[i]);
    return total;
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

/// The first place of the largest of `n` elements, `stride` apart: block by block, each searched only where
/// it raises the maximum.
template <class C>
int64_t argmax_of(const Tensor& input, const char* data, int64_t stride, int64_t n) {
  const MaxReducer<C> reducer;
  const auto size = static_cast<int64_t>(size_of(input.dtype()));
  C tile[kTile];
  C best = reducer.identity();
  int64_t place = 0;
  for (int64_t begin = 0; begin < n; begin += kTile) {
    const int64_t count = std::min(kTile, n - begin);
    load_tile(tile, input.dtype(), data + begin * stride * size, stride, count);
    const C largest = reduce_block(reducer, tile, count);
    if (largest <= best) continue;
    place = begin + (std::find_if(tile, tile + count, [&](C x) { return x == largest || x != x; }) - tile);
    if (largest != largest) return place;
    best = largest;
  }
  return place;
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
