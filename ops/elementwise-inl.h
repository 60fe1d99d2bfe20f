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

/// Applies `f` to `n` elements: neighbours in `in[i]`, or, where `walks[i]` is 0 instead of -1, always those
/// of one vector. The last, partial vector is masked.
template <class C, class F, size_t... I>
HWY_INLINE void vector_loop(const F& f, C* out, const std::array<const C*, sizeof...(I)>& in,
                            const std::array<int64_t, sizeof...(I)>& walks, int64_t n,
                            std::index_sequence<I...>) {
  const hn::ScalableTag<C> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    hn::StoreU(f(d, hn::LoadU(d, in[I] + (i & walks[I]))...), d, out + i);
  }
  if (i < n) {
    const auto rest = hn::FirstN(d, static_cast<size_t>(n - i));
    hn::BlendedStore(f(d, load_first(rest, d, in[I] + (i & walks[I]))...), rest, d, out + i);
  }
}

/// Applies `f` where the operands lie: each of type C, and in a row either neighbours or one element.
template <class C, class F, size_t... I>
HWY_ATTR void direct_rows(const F& f, const ElementwiseLoop& loop, const ElementwiseRows& rows,
                          std::index_sequence<I...> each) {
  constexpr size_t kInputs = sizeof...(I);
  const hn::ScalableTag<C> d;
  HWY_ALIGN C repeated[kInputs][hn::MaxLanes(d)];
  const std::array<int64_t, kInputs> walks = {(loop.inner().strides[I + 1] == 0 ? 0 : -1)...};
  std::array<int64_t, kInputs + 1> steps;
  for (size_t o = 0; o <= kInputs; ++o) steps[o] = loop.step(static_cast<int>(o));
  std::array<char*, kMaxOperands> data = rows.data;
  for (int64_t row = 0; row < rows.count; ++row) {
    std::array<const C*, kInputs> in = {reinterpret_cast<const C*>(data[I + 1])...};
    for (size_t i = 0; i < kInputs; ++i) {
      if (walks[i] != 0) continue;
      hn::StoreU(hn::Set(d, *in[i]), d, repeated[i]);
      in[i] = repeated[i];
    }
    vector_loop(f, reinterpret_cast<C*>(data[0]), in, walks, rows.size, each);
    for (size_t o = 0; o <= kInputs; ++o) data[o] += steps[o];
  }
}

/// Applies `f` tile by tile: operands that are not neighbours of type C are converted on their way.
template <class C, class F, size_t... I>
HWY_ATTR void tiled_row(const F& f, const ElementwiseLoop& loop, const ElementwiseRow& row,
                        std::index_sequence<I...> each) {
  constexpr size_t kInputs = sizeof...(I);
  HWY_ALIGN C tiles[kInputs + 1][kTile];
  const std::array<int64_t, kMaxOperands>& strides = loop.inner().strides;
  for (int64_t begin = 0; begin < row.size; begin += kTile) {
    const int64_t n = std::min(kTile, row.size - begin);
    const auto at = [&](size_t o) {
      return row.data[o] + begin * strides[o] * static_cast<int64_t>(size_of(loop.dtypes[o]));
    };
    const auto direct = [&](size_t o) { return loop.dtypes[o] == dtype_of<C>() && strides[o] == 1; };
    std::array<const C*, kInputs> in;
    for (size_t i = 0; i < kInputs; ++i) {
      if (direct(i + 1)) {
        in[i] = reinterpret_cast<const C*>(at(i + 1));
      } else {
        // The tile of a repeated element stays as it is along the row.
        if (strides[i + 1] != 0 || begin == 0)
          load_tile(tiles[i + 1], loop.dtypes[i + 1], at(i + 1), strides[i + 1], n);
        in[i] = tiles[i + 1];
      }
    }
    C* const out = direct(0) ? reinterpret_cast<C*>(at(0)) : tiles[0];
    vector_loop(f, out, in, std::array<int64_t, kInputs>{(static_cast<void>(I), -1)...}, n, each);
    if (!direct(0)) store_tile(tiles[0], loop.dtypes[0], at(0), strides[0], n);
  }
}

/// Applies `f` element by element; elements are computed in C, which visit_compute_type chose for their type.
/// `work` is the cost of one element in simple operations.
template <class C, size_t N, class F>
void run_elementwise(const F& f, const Tensor& output, Inputs inputs, int64_t work) {
  if (output.numel() == 0) return;
  const ElementwiseLoop loop(output, inputs);
  bool direct = true;
  for (size_t o = 0; o <= N; ++o) {
    const int64_t stride = loop.inner().strides[o];
    direct &=
        loop.dtypes[o] == dtype_of<C>() && (stride == 1 || (stride == 0 && o > 0) || loop.inner().size == 1);
  }
  const auto each = std::make_index_sequence<N>();
  parallel_for(0, loop.elements, std::max<int64_t>(1, kSerialWork / work), [&](int64_t first, int64_t last) {
    if (direct) {
      for_each_rows(loop, first, last,
                    [&](const ElementwiseRows& rows) { direct_rows<C>(f, loop, rows, each); });
    } else {
      for_each_row(loop, first, last, [&](const ElementwiseRow& row) { tiled_row<C>(f, loop, row, each); });
    }
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

/// `void stem_cpu(const Op&, Inputs, Outputs)`, which the list of kernels names, from `void stem_kernel(const
/// Op&, const Tensor& output, Inputs)` of every instruction set. Stands at the end of the file, outside all
/// namespaces.
#undef ESPALIER_ELEMENTWISE_KERNEL
#if HWY_ONCE
#define ESPALIER_ELEMENTWISE_KERNEL(Op, stem)                            \
  namespace espalier {                                                   \
  HWY_EXPORT(stem##_kernel);                                             \
  void stem##_cpu(const Op& operation, Inputs inputs, Outputs outputs) { \
    ESPALIER_DISPATCH(stem##_kernel)(operation, outputs[0], inputs);     \
  }                                                                      \
  }
#else
#define ESPALIER_ELEMENTWISE_KERNEL(Op, stem)
#endif

#endif
