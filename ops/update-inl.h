// The vectorised loop of optimisers' updates, compiled once per instruction set: include it inside a file set
// up as core/highway_internal.h says, after "hwy/highway.h". It reads a parameter, its gradient and up to
// three tensors of state, and writes all but the gradient, in one pass over memory.

#if defined(ESPALIER_UPDATE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ESPALIER_UPDATE_INL_H_
#undef ESPALIER_UPDATE_INL_H_
#else
#define ESPALIER_UPDATE_INL_H_
#endif

#include <array>

#include "core/flush_subnormals_internal.h"
#include "core/masked-inl.h"
#include "core/parallel.h"
#include "hwy/highway.h"
#include "ops/elementwise_internal.h"

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// Updates one vector of N operands, which `load` reads and `store` writes.
template <size_t N, class D, class F, class C, class Load, class Store>
HWY_INLINE HWY_ATTR void update_vector(const F& f, D d, const std::array<C*, N>& x, int64_t i,
                                       const Load& load, const Store& store) {
  auto parameter = load(d, x[0] + i);
  const auto gradient = load(d, x[1] + i);
  auto state1 = hn::Zero(d), state2 = hn::Zero(d), state3 = hn::Zero(d);
  if constexpr (N > 2) state1 = load(d, x[2] + i);
  if constexpr (N > 3) state2 = load(d, x[3] + i);
  if constexpr (N > 4) state3 = load(d, x[4] + i);
  f(d, parameter, gradient, state1, state2, state3);
  store(parameter, d, x[0] + i);
  if constexpr (N > 2) store(state1, d, x[2] + i);
  if constexpr (N > 3) store(state2, d, x[3] + i);
  if constexpr (N > 4) store(state3, d, x[4] + i);
}

/// Updates `n` neighbouring elements of N operands; the last, partial vector is masked.
template <size_t N, class C, class F>
HWY_ATTR void update_elements(const F& f, const std::array<C*, N>& x, int64_t n) {
  const hn::ScalableTag<C> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    update_vector(
        f, d, x, i, [](auto tag, const C* from) HWY_ATTR { return hn::LoadU(tag, from); },
        [](auto value, auto tag, C* to) HWY_ATTR { hn::StoreU(value, tag, to); });
  }
  if (i == n) return;
  const auto rest = hn::FirstN(d, static_cast<size_t>(n - i));
  update_vector(
      f, d, x, i, [rest](auto tag, const C* from) HWY_ATTR { return load_first(rest, tag, from); },
      [rest](auto value, auto tag, C* to) HWY_ATTR { hn::BlendedStore(value, rest, tag, to); });
}

/// Updates `n` elements, `strides` apart from each other, of N operands of one type.
template <size_t N, class C, class F>
HWY_ATTR void update_row(const F& f, Dtype dtype, const std::array<char*, N>& data,
                         const std::array<int64_t, N>& strides, int64_t n) {
  std::array<C*, N> x;
  bool direct = dtype == dtype_of<C>();
  for (size_t o = 0; o < N; ++o) direct &= strides[o] == 1 || n == 1;
  if (direct) {
    for (size_t o = 0; o < N; ++o) x[o] = reinterpret_cast<C*>(data[o]);
    return update_elements<N, C>(f, x, n);
  }
  const auto bytes = static_cast<int64_t>(size_of(dtype));
  alignas(64) C tiles[N][kTile];
  for (int64_t begin = 0; begin < n; begin += kTile) {
    const int64_t size = std::min(kTile, n - begin);
    const auto at = [&](size_t o) { return data[o] + begin * strides[o] * bytes; };
    for (size_t o = 0; o < N; ++o) load_tile(x[o] = tiles[o], dtype, at(o), strides[o], size);
    update_elements<N, C>(f, x, size);
    for (size_t o = 0; o < N; ++o) {
      if (o != 1) store_tile(tiles[o], dtype, at(o), strides[o], size);
    }
  }
}

/// Whether the operands lie in memory alike and without gaps, so that they can be walked as one row.
inline bool lie_alike(Inputs operands) {
  const Tensor& first = operands[0];
  for (const Tensor& operand : operands.subspan(1)) {
    if (operand.strides() != first.strides()) return false;
  }
  return is_dense(first.shape(), first.strides());
}

/// Calls `f(d, parameter, gradient, state1, state2, state3)`, which changes all but the gradient, on vectors
/// of C for the first N of (parameter, gradient, state...). `work` is the cost of one element in simple
/// operations. Subnormal numbers are flushed: moments of what has no gradient shrink to them and, rounded,
/// stay there for good, where a step of Adam takes 4 times as long (Xeon, Emerald Rapids).
template <class C, size_t N, class F>
void run_update(const F& f, Inputs operands, int64_t work) {
  const Tensor& parameter = operands[0];
  const Dtype dtype = parameter.dtype();
  if (parameter.numel() == 0) return;
  if (lie_alike(operands.first(N))) {
    const auto bytes = static_cast<int64_t>(size_of(dtype));
    std::array<int64_t, N> strides;
    strides.fill(1);
    return parallel_for(0, parameter.numel(), kSerialWork / work, [&](int64_t first, int64_t last) {
      const FlushSubnormals flush;
      std::array<char*, N> data;
      for (size_t o = 0; o < N; ++o) data[o] = static_cast<char*>(operands[o].raw_data()) + first * bytes;
      update_row<N, C>(f, dtype, data, strides, last - first);
    });
  }
  const BasicElementwiseLoop<(N <= kMaxOperands ? kMaxOperands : kMaxChainOperands)> loop(
      parameter, operands.subspan(1, N - 1));
  std::array<int64_t, N> strides;
  for (size_t o = 0; o < N; ++o) strides[o] = loop.inner().strides[o];
  parallel_for(0, loop.elements, kSerialWork / work, [&](int64_t first, int64_t last) {
    const FlushSubnormals flush;
    for_each_rows(loop, first, last, [&](const auto& rows) {
      std::array<char*, N> data;
      for (size_t o = 0; o < N; ++o) data[o] = rows.data[o];
      for (int64_t i = 0; i < rows.count; ++i) {
        update_row<N, C>(f, dtype, data, strides, rows.size);
        for (size_t o = 0; o < N; ++o) data[o] += loop.step(static_cast<int>(o));
      }
    });
  });
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
