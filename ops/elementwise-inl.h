// The vectorised elementwise loop, compiled once per instruction set: include it inside a file set up as
// core/highway_internal.h says, after "hwy/highway.h". An operation brings a functor `V operator()(D d, V a[,
// V b[, V c]]) const` and calls run_elementwise, or, where bools come in or go out, run_predicate or
// run_vectors. Only a loop over neighbours is compiled for each functor and type; how it meets operands that
// lie otherwise, or have another type, is in ops/elementwise_body.cc.

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

/// Applies an F to operands as ElementwiseBody::Apply says: an output of element type Out and inputs of In,
/// each C or bool. The last, partial vector is masked.
template <class C, class F, class Out, class... In, size_t... I>
HWY_INLINE HWY_ATTR void apply_elements(const F& f, char* output, const ElementwiseBody::Places& in,
                                        const ElementwiseBody::Walks& walks, int64_t n,
                                        std::index_sequence<I...>) {
  const hn::ScalableTag<C> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  auto* const out = reinterpret_cast<StoredAs<Out>*>(output);
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
  const auto y = f(
      d, load_operand_first<In>(d, reinterpret_cast<const StoredAs<In>*>(in[I]) + (i & walks[I]), n - i)...);
  if constexpr (std::is_same_v<Out, bool>) {
    uint8_t flags[hn::MaxLanes(d)];
    store_flags(y, d, flags);
    for (int64_t k = 0; i < n; ++i, ++k) out[i] = flags[k];
  } else {
    store_first(y, hn::FirstN(d, static_cast<size_t>(n - i)), d, out + i);
  }
}

/// Applies `f`, which computes on vectors of C, element by element to an output of element type Out and
/// inputs of In, each C or bool. `work` is the cost of one element in simple operations.
template <class C, class Out, class... In, class F>
void run_vectors(const F& f, const Tensor& output, Inputs inputs, int64_t work) {
  static_assert(hn::MaxLanes(hn::ScalableTag<C>()) * sizeof(C) <= ElementwiseBody::kVectorBytes);
  static_assert(std::is_trivially_copyable_v<F> && sizeof(F) <= OwnedElementwiseBody::kFunctorBytes);
  ElementwiseBody body{.functor = &f,
                       .functor_bytes = sizeof(F),
                       .apply =
                           [](const void* functor, char* out, const ElementwiseBody::Places& in,
                              const ElementwiseBody::Walks& walks, int64_t n) HWY_ATTR {
                             apply_elements<C, F, Out, In...>(*static_cast<const F*>(functor), out, in, walks,
                                                              n, std::index_sequence_for<In...>());
                           },
                       .operands = {dtype_of<StoredAs<Out>>(), dtype_of<StoredAs<In>>()...},
                       .lanes = static_cast<int64_t>(hn::MaxLanes(hn::ScalableTag<C>()))};
  run_elementwise_body(body, output, inputs, work);
}

/// C, whatever the index: to repeat it.
template <class C, size_t>
using Repeated = C;

template <class C, class F, size_t... I>
void run_elementwise(const F& f, const Tensor& output, Inputs inputs, int64_t work,
                     std::index_sequence<I...>) {
  run_vectors<C, C, Repeated<C, I>...>(f, output, inputs, work);
}

/// Applies `f` element by element; elements are computed in C, which visit_compute_type chose for their type.
/// `work` is the cost of one element in simple operations.
template <class C, size_t N, class F>
void run_elementwise(const F& f, const Tensor& output, Inputs inputs, int64_t work) {
  run_elementwise<C>(f, output, inputs, work, std::make_index_sequence<N>());
}

template <class C, class F, size_t... I>
void run_predicate(const F& f, const Tensor& output, Inputs inputs, int64_t work, std::index_sequence<I...>) {
  run_vectors<C, bool, Repeated<C, I>...>(f, output, inputs, work);
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
