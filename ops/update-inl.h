// The vectorised loop of optimisers' updates, compiled once per instruction set: include it inside a file set
// up as core/highway_internal.h says, after "hwy/highway.h". It reads a parameter, its gradient and up to two
// tensors of state, and writes all but the gradient, in one pass over memory.

#if defined(ESPALIER_UPDATE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ESPALIER_UPDATE_INL_H_
#undef ESPALIER_UPDATE_INL_H_
#else
#define ESPALIER_UPDATE_INL_H_
#endif

#include <array>

#include "core/masked-inl.h"
#include "core/parallel.h"
#include "hwy/highway.h"
#include "ops/elementwise_internal.h"

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// Updates `n` neighbouring elements of N operands; the last, partial vector is masked.
template <size_t N, class C, class F>
HWY_ATTR void update_elements(const F& f, const std::array<C*, N>& x, int64_t n) {
  const hn::ScalableTag<C> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    auto parameter = hn::LoadU(d, x[0] + i);
    const auto gradient = hn::LoadU(d, x[1] + i);
    auto state1 = hn::Zero(d), state2 = hn::Zero(d);
    if constexpr (N > 2) state1 = hn::LoadU(d, x[2] + i);
    if constexpr (N > 3) state2 = hn::LoadU(d, x[3] + i);
    f(d, parameter, gradient, state1, state2);
    hn::StoreU(parameter, d, x[0] + i);
    if constexpr (N > 2) hn::StoreU(state1, d, x[2] + i);
    if constexpr (N > 3) hn::StoreU(state2, d, x[3] + i);
  }
  if (i == n) return;
  const auto rest = hn::FirstN(d, static_cast<size_t>(n - i));
  auto parameter = load_first(rest, d, x[0] + i);
  const auto gradient = load_first(rest, d, x[1] + i);
  auto state1 = hn::Zero(d), state2 = hn::Zero(d);
  if constexpr (N > 2) state1 = load_first(rest, d, x[2] + i);
  if constexpr (N > 3) state2 = load_first(rest, d, x[3] + i);
  f(d, parameter, gradient, state1, state2);
  hn::BlendedStore(parameter, rest, d, x[0] + i);
  if constexpr (N > 2) hn::BlendedStore(state1, rest, d, x[2] + i);
  if constexpr (N > 3) hn::BlendedStore(state2, rest, d, x[3] + i);
}

/// Calls `f(d, parameter, gradient, state1, state2)`, which changes all but the gradient, on vectors of C for
/// the first N of (parameter, gradient, state...). `work` is the cost of one element in simple operations.
template <class C, size_t N, class F>
void run_update(const F& f, Inputs operands, int64_t work) {
  if (operands[0].numel() == 0) return;
  const ElementwiseLoop loop(operands[0], operands.subspan(1, N - 1));
  const std::array<int64_t, kMaxOperands> strides = loop.inner().strides;
  const Dtype dtype = operands[0].dtype();
  const auto bytes = static_cast<int64_t>(size_of(dtype));
  bool direct = dtype == dtype_of<C>();
  for (size_t o = 0; o < N; ++o) direct &= strides[o] == 1 || loop.inner().size == 1;

  parallel_for(0, loop.elements, kSerialWork / work, [&](int64_t first, int64_t last) {
    alignas(64) C tiles[N][kTile];
    for_each_row(loop, first, last, [&](const ElementwiseRow& row) {
      std::array<C*, N> x;
      if (direct) {
        for (size_t o = 0; o < N; ++o) x[o] = reinterpret_cast<C*>(row.data[o]);
        return update_elements(f, x, row.size);
      }
      for (int64_t begin = 0; begin < row.size; begin += kTile) {
        const int64_t n = std::min(kTile, row.size - begin);
        const auto at = [&](size_t o) { return row.data[o] + begin * strides[o] * bytes; };
        for (size_t o = 0; o < N; ++o) load_tile(x[o] = tiles[o], dtype, at(o), strides[o], n);
        update_elements(f, x, n);
        for (size_t o = 0; o < N; ++o) {
          if (o != 1) store_tile(tiles[o], dtype, at(o), strides[o], n);
        }
      }
    });
  });
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
