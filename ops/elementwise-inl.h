// The vectorised elementwise loop, compiled once per instruction set: include it inside a file set up as
// core/highway_internal.h says, after "hwy/highway.h". An operation brings a functor `V operator()(D d, V a[,
// V b[, V c]]) const` and calls run_elementwise.

#if defined(ESPALIER_ELEMENTWISE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ESPALIER_ELEMENTWISE_INL_H_
#undef ESPALIER_ELEMENTWISE_INL_H_
#else
#define ESPALIER_ELEMENTWISE_INL_H_
#endif

#include <array>
#include <utility>

#include "core/masked-inl.h"
#include "core/parallel.h"
#include "hwy/highway.h"
#include "ops/elementwise_internal.h"

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// Applies `f` to `n` neighbouring elements of each input; the last, partial vector is masked.
template <class C, class F, size_t... I>
HWY_ATTR void vector_loop(const F& f, C* out, const std::array<const C*, sizeof...(I)>& in, int64_t n,
                          std::index_sequence<I...>) {
  const hn::ScalableTag<C> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(f(d, hn::LoadU(d, in[I] + i)...), d, out + i);
  if (i < n) {
    const auto rest = hn::FirstN(d, static_cast<size_t>(n - i));
    hn::BlendedStore(f(d, load_first(rest, d, in[I] + i)...), rest, d, out + i);
  }
}

/// Applies `f` element by element; elements are computed in C, which visit_compute_type chose for their type.
/// `work` is the cost of one element in simple operations.
template <class C, size_t N, class F>
void run_elementwise(const F& f, const Tensor& output, Inputs inputs, int64_t work) {
  if (output.numel() == 0) return;
  const ElementwiseLoop loop(output, inputs);
  const std::array<int64_t, kMaxOperands> strides = loop.inner().strides;
  // Operands that are already neighbouring elements of type C are used where they lie, the others pass
  // through a tile.
  std::array<bool, N + 1> direct;
  bool all_direct = true;
  for (size_t o = 0; o <= N; ++o) {
    direct[o] = loop.dtypes[o] == dtype_of<C>() && (strides[o] == 1 || loop.inner().size == 1);
    all_direct &= direct[o];
  }
  parallel_for(0, loop.elements, std::max<int64_t>(1, kSerialWork / work), [&](int64_t first, int64_t last) {
    alignas(64) C tiles[N + 1][kTile];
    for_each_row(loop, first, last, [&](const ElementwiseRow& row) {
      const int64_t step = all_direct ? row.size : kTile;
      for (int64_t begin = 0; begin < row.size; begin += step) {
        const int64_t n = std::min(step, row.size - begin);
        const auto at = [&](size_t o) {
          return row.data[o] + begin * strides[o] * static_cast<int64_t>(size_of(loop.dtypes[o]));
        };
        std::array<const C*, N> in;
        for (size_t i = 0; i < N; ++i) {
          if (direct[i + 1]) {
            in[i] = reinterpret_cast<const C*>(at(i + 1));
          } else {
            // A broadcast operand's tile stays as it is along the row.
            if (strides[i + 1] != 0 || begin == 0)
              load_tile(tiles[i + 1], loop.dtypes[i + 1], at(i + 1), strides[i + 1], n);
            in[i] = tiles[i + 1];
          }
        }
        C* out = direct[0] ? reinterpret_cast<C*>(at(0)) : tiles[0];
        vector_loop(f, out, in, n, std::make_index_sequence<N>());
        if (!direct[0]) store_tile(tiles[0], loop.dtypes[0], at(0), strides[0], n);
      }
    });
  });
}

/// The same, with the type of computation that fits the first input.
template <size_t N, class F>
void run_elementwise_any(const F& f, const Tensor& output, Inputs inputs, int64_t work) {
  visit_compute_type(inputs[0].dtype(), [&](auto tag) {
    run_elementwise<typename decltype(tag)::type, N>(f, output, inputs, work);
  });
}

/// For functors that make sense for floating-point numbers only.
template <size_t N, class F>
void run_elementwise_floating(const F& f, const Tensor& output, Inputs inputs, int64_t work) {
  if (inputs[0].dtype() == Dtype::f64) {
    run_elementwise<double, N>(f, output, inputs, work);
  } else {
    run_elementwise<float, N>(f, output, inputs, work);
  }
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
