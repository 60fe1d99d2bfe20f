// The vectorised elementwise loop, compiled once per instruction set: include it inside a file set up as
// core/highway_internal.h says, after "hwy/highway.h". An operation brings a functor `V operator()(D d, V a[,
// V b[, V c]]) const` and calls run_elementwise, or, where bools come in or go out, ElementwiseVectors::run.

#if defined(ESPALIER_ELEMENTWISE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ESPALIER_ELEMENTWISE_INL_H_
#undef ESPALIER_ELEMENTWISE_INL_H_
#else
#define ESPALIER_ELEMENTWISE_INL_H_
#endif

#include <algorithm>
#include <array>
#include <type_traits>
#include <utility>

#include "core/masked-inl.h"
#include "core/parallel.h"
#include "hwy/highway.h"
#include "ops/elementwise_internal.h"

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// How operands meet a functor that computes on vectors of C. One of element type C comes and goes as a
/// vector of its elements; one of element type bool as a mask of C's lanes, which lies in memory as bytes, 0
/// or 1.
template <class E>
using StoredAs = std::conditional_t<std::is_same_v<E, bool>, uint8_t, E>;

/// The mask of `d`'s lanes whose byte is not 0; as many bytes are read.
template <class D>
HWY_INLINE hn::Mask<D> load_flags(D d, const uint8_t* from) {
  constexpr size_t kWidth = sizeof(hn::TFromD<D>);
  const hn::RebindToUnsigned<D> wide;
  const auto flags = hn::LoadU(hn::Rebind<uint8_t, D>(), from);
  const auto widened = [&]() HWY_ATTR {
    if constexpr (kWidth == 1)
      return flags;
    else if constexpr (kWidth == 8)
      return hn::PromoteTo(wide, hn::PromoteTo(hn::Rebind<uint32_t, D>(), flags));
    else
      return hn::PromoteTo(wide, flags);
  };
  return hn::RebindMask(d, hn::Ne(widened(), hn::Zero(wide)));
}

/// Writes a byte, 0 or 1, for each of D's lanes.
template <class D, class M>
HWY_INLINE void store_flags(M flags, D /*d*/, uint8_t* to) {
  const hn::RebindToUnsigned<D> wide;
  const hn::Rebind<uint8_t, D> bytes;
  const auto ones = hn::IfThenElseZero(hn::RebindMask(wide, flags), hn::Set(wide, 1));
  if constexpr (sizeof(hn::TFromD<D>) == 1)
    hn::StoreU(ones, bytes, to);
  else
    hn::StoreU(hn::TruncateTo(bytes, ones), bytes, to);
}

template <class E, class D>
HWY_INLINE auto load_operand(D d, const StoredAs<E>* from) {
  if constexpr (std::is_same_v<E, bool>)
    return load_flags(d, from);
  else
    return hn::LoadU(d, from);
}

/// The first `n` lanes, fewer than a vector has, of an operand whose others are not there.
template <class E, class D>
HWY_INLINE auto load_operand_first(D d, const StoredAs<E>* from, int64_t n) {
  if constexpr (std::is_same_v<E, bool>) {
    constexpr auto kLanes = static_cast<int64_t>(hn::MaxLanes(D()));
    uint8_t flags[kLanes] = {};
    for (int64_t i = 0; i < std::min(n, kLanes); ++i) flags[i] = from[i];  // the bound is for the compiler
    return load_flags(d, flags);
  } else {
    return load_first(hn::FirstN(d, static_cast<size_t>(n)), d, from);
  }
}

/// The elementwise loops over an output of element type Out and inputs of In, each C or bool.
template <class C, class Out, class... In>
struct ElementwiseVectors {
  using D = hn::ScalableTag<C>;
  static constexpr size_t kInputs = sizeof...(In);
  using Each = std::index_sequence_for<In...>;
  using Pointers = std::array<const char*, kInputs>;
  using Walks = std::array<int64_t, kInputs>;

  /// Applies `f` to `n` elements: neighbours in `in[i]`, or, where `walks[i]` is 0 instead of -1, always
  /// those of one vector. The last, partial vector is masked.
  template <class F, size_t... I>
  static HWY_INLINE void apply(const F& f, StoredAs<Out>* out, const Pointers& in, const Walks& walks,
                               int64_t n, std::index_sequence<I...>) {
    const D d;
    const auto lanes = static_cast<int64_t>(hn::Lanes(d));
    int64_t i = 0;
    for (; i + lanes <= n; i += lanes) {
      const auto y =
          f(d, load_operand<In>(d, reinterpret_cast<const StoredAs<In>*>(in[I]) + (i & walks[I]))...);
      if constexpr (std::is_same_v<Out, bool>)
        store_flags(y, d, out + i);
      else
        hn::StoreU(y, d, out + i);
    }
    if (i == n) return;
    const auto y = f(d, load_operand_first<In>(
                            d, reinterpret_cast<const StoredAs<In>*>(in[I]) + (i & walks[I]), n - i)...);
    if constexpr (std::is_same_v<Out, bool>) {
      uint8_t flags[hn::MaxLanes(d)];
      store_flags(y, d, flags);
      for (int64_t k = 0; i < n; ++i, ++k) out[i] = flags[k];
    } else {
      store_first(y, hn::FirstN(d, static_cast<size_t>(n - i)), d, out + i);
    }
  }

  /// Fills a vector's worth of memory with the element at `from`.
  template <class E>
  static HWY_INLINE void repeat(const char* from, char* to) {
    const StoredAs<E> element = *reinterpret_cast<const StoredAs<E>*>(from);
    std::fill_n(reinterpret_cast<StoredAs<E>*>(to), hn::MaxLanes(D()), element);
  }

  /// Applies `f` where the operands lie: each of its own type, and in a row either neighbours or one element.
  template <class F, size_t... I>
  static HWY_ATTR void direct_rows(const F& f, const ElementwiseLoop& loop, const ElementwiseRows& rows,
                                   std::index_sequence<I...> each) {
    HWY_ALIGN C repeated[kInputs][hn::MaxLanes(D())];
    const Walks walks = {(loop.inner().strides[I + 1] == 0 ? 0 : -1)...};
    std::array<int64_t, kInputs + 1> steps;
    for (size_t o = 0; o <= kInputs; ++o) steps[o] = loop.step(static_cast<int>(o));
    std::array<char*, kMaxOperands> data = rows.data;
    const auto point = [&](auto tag, size_t i) HWY_ATTR -> const char* {
      if (walks[i] != 0) return data[i + 1];
      char* const place = reinterpret_cast<char*>(repeated[i]);
      repeat<typename decltype(tag)::type>(data[i + 1], place);
      return place;
    };
    for (int64_t row = 0; row < rows.count; ++row) {
      const Pointers in = {point(TypeTag<In>(), I)...};
      apply(f, reinterpret_cast<StoredAs<Out>*>(data[0]), in, walks, rows.size, each);
      for (size_t o = 0; o <= kInputs; ++o) data[o] += steps[o];
    }
  }

  /// Reads a tile of an operand.
  template <class E>
  static void fill_tile(char* tile, Dtype dtype, const char* data, int64_t stride, int64_t n) {
    auto* const to = reinterpret_cast<StoredAs<E>*>(tile);
    if constexpr (std::is_unsigned_v<StoredAs<E>>) {
      const auto* const from = reinterpret_cast<const StoredAs<E>*>(data);
      for (int64_t i = 0; i < n; ++i) to[i] = from[i * stride];
    } else {
      load_tile(to, dtype, data, stride, n);
    }
  }

  /// Applies `f` tile by tile: operands that are not neighbours of their element type are gathered, and
  /// converted, on their way.
  template <class F, size_t... I>
  static HWY_ATTR void tiled_row(const F& f, const ElementwiseLoop& loop, const ElementwiseRow& row,
                                 std::index_sequence<I...> each) {
    HWY_ALIGN C tiles[kInputs + 1][kTile];
    const std::array<int64_t, kMaxOperands>& strides = loop.inner().strides;
    for (int64_t begin = 0; begin < row.size; begin += kTile) {
      const int64_t n = std::min(kTile, row.size - begin);
      const auto at = [&](size_t o) {
        return row.data[o] + begin * strides[o] * static_cast<int64_t>(size_of(loop.dtypes[o]));
      };
      const auto point = [&](auto tag, size_t o) -> char* {
        using E = typename decltype(tag)::type;
        if (loop.dtypes[o] == dtype_of<StoredAs<E>>() && strides[o] == 1) return at(o);
        char* const tile = reinterpret_cast<char*>(tiles[o]);
        // The tile of a repeated element stays as it is along the row.
        if (o > 0 && (strides[o] != 0 || begin == 0))
          fill_tile<E>(tile, loop.dtypes[o], at(o), strides[o], n);
        return tile;
      };
      const Pointers in = {point(TypeTag<In>(), I + 1)...};
      char* const out = point(TypeTag<Out>(), 0);
      apply(f, reinterpret_cast<StoredAs<Out>*>(out), in, Walks{(static_cast<void>(I), -1)...}, n, each);
      if (out == at(0)) continue;
      if constexpr (std::is_unsigned_v<StoredAs<Out>>) {
        auto* const to = reinterpret_cast<StoredAs<Out>*>(at(0));
        for (int64_t i = 0; i < n; ++i) to[i * strides[0]] = reinterpret_cast<StoredAs<Out>*>(out)[i];
      } else {
        store_tile(tiles[0], loop.dtypes[0], at(0), strides[0], n);
      }
    }
  }

  template <class F>
  static void run(const F& f, const Tensor& output, Inputs inputs, int64_t work) {
    if (output.numel() == 0) return;
    ElementwiseLoop loop(output, inputs);
    constexpr Dtype kDtypes[] = {dtype_of<StoredAs<Out>>(), dtype_of<StoredAs<In>>()...};
    bool direct = true;
    for (size_t o = 0; o <= kInputs; ++o) {
      // Bools, and elements that are only moved, are taken for the unsigned numbers of their size.
      if (size_of(loop.dtypes[o]) == size_of(kDtypes[o]) && kIsUnsigned[o]) loop.dtypes[o] = kDtypes[o];
      const int64_t stride = loop.inner().strides[o];
      direct &=
          loop.dtypes[o] == kDtypes[o] && (stride == 1 || (stride == 0 && o > 0) || loop.inner().size == 1);
    }
    parallel_for(0, loop.elements, std::max<int64_t>(1, kSerialWork / work),
                 [&](int64_t first, int64_t last) {
                   if (direct) {
                     for_each_rows(loop, first, last,
                                   [&](const ElementwiseRows& rows) { direct_rows(f, loop, rows, Each()); });
                   } else {
                     for_each_row(loop, first, last,
                                  [&](const ElementwiseRow& row) { tiled_row(f, loop, row, Each()); });
                   }
                 });
  }

 private:
  static constexpr bool kIsUnsigned[] = {std::is_unsigned_v<StoredAs<Out>>,
                                         std::is_unsigned_v<StoredAs<In>>...};
};

/// C, whatever the index: to repeat it.
template <class C, size_t>
using Repeated = C;

template <class C, class F, size_t... I>
void run_elementwise(const F& f, const Tensor& output, Inputs inputs, int64_t work,
                     std::index_sequence<I...>) {
  ElementwiseVectors<C, C, Repeated<C, I>...>::run(f, output, inputs, work);
}

/// Applies `f` element by element; elements are computed in C, which visit_compute_type chose for their type.
/// `work` is the cost of one element in simple operations.
template <class C, size_t N, class F>
void run_elementwise(const F& f, const Tensor& output, Inputs inputs, int64_t work) {
  run_elementwise<C>(f, output, inputs, work, std::make_index_sequence<N>());
}

template <class C, class F, size_t... I>
void run_predicate(const F& f, const Tensor& output, Inputs inputs, int64_t work, std::index_sequence<I...>) {
  ElementwiseVectors<C, bool, Repeated<C, I>...>::run(f, output, inputs, work);
}

/// The same for an output of bools: `f` gives a mask. Elements are of any type.
template <size_t N, class F>
void run_predicate(const F& f, const Tensor& output, Inputs inputs, int64_t work) {
  const Dtype dtype = inputs[0].dtype();
  if (dtype == Dtype::boolean || dtype == Dtype::u8)
    return run_predicate<uint8_t>(f, output, inputs, work, std::make_index_sequence<N>());
  visit_compute_type(dtype, [&](auto tag) {
    run_predicate<typename decltype(tag)::type>(f, output, inputs, work, std::make_index_sequence<N>());
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
