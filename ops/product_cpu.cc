#include "ops/product.h"
#include "ops/scratch_internal.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/product_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/elementwise-inl.h"
#include "ops/reducers-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {

/// A product of what `Elements` makes of them. Partial products of floats are collected in double. Integers
/// wrap.
template <class C, class Elements = PlainElements>
struct ProductReducer : Elements {
  using Total = std::conditional_t<std::is_same_v<C, float>, double, C>;

  template <class T>
  static T product_of(T a, T b) {
    if constexpr (std::is_integral_v<T>)
      return static_cast<T>(static_cast<std::make_unsigned_t<T>>(a) *
                            static_cast<std::make_unsigned_t<T>>(b));
    else
      return a * b;
  }
  C identity() const { return C{1}; }
  template <class D, class V>
  HWY_ATTR V combine(D, V a, V b) const {
    return hn::Mul(a, b);
  }
  template <class D, class V>
  HWY_ATTR C lanes(D d, V v) const {
    HWY_ALIGN C lanes[hn::MaxLanes(D())];
    hn::Store(v, d, lanes);
    C product{1};
    for (size_t i = 0; i < hn::Lanes(d); ++i) product = product_of(product, lanes[i]);
    return product;
  }
  Total combine(Total a, Total b) const { return product_of(a, b); }
  Total finish(Total total) const { return total; }
};

void product_kernel(const Product& op, const Tensor& output, Inputs inputs, void* partial) {
  const Dims axes = op.reduced_axes(inputs[0].rank());
  const auto run = [&](auto tag) {
    using C = typename decltype(tag)::type;
    run_reduction<C>(ProductReducer<C>(), output, inputs[0], axes, partial);
  };
  if (!is_floating(inputs[0].dtype()))
    run(TypeTag<int64_t>());
  else
    visit_read_type(inputs[0].dtype(), run);
}

/// Elements with ones in place of zeros.
struct ZerosAsOnes {
  template <class D, class V>
  HWY_ATTR V map(D d, V x, V /*centre*/) const {
    return hn::IfThenElse(hn::Eq(x, hn::Zero(d)), hn::Set(d, hn::TFromD<D>{1}), x);
  }
};

struct OtherFactors {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x, V nonzero, V zero) const {
    return hn::IfThenElse(hn::Eq(x, hn::Zero(d)), zero, hn::Div(nonzero, x));
  }
};

// The product of the others is that of all, divided by the element, in a slice without zeros; the product of
// the rest for a single zero; else 0.
void product_backward_kernel(const ProductBackward&, const Tensor& output, Inputs inputs) {
  const Tensor &gradient = inputs[0], &x = inputs[1];
  if (x.numel() == 0) return;
  Dims axes;
  for (int i = 0; i < x.rank(); ++i) {
    if (gradient.shape()[i] != x.shape()[i]) axes.push_back(i);
  }
  const int64_t n = gradient.numel(), size = x.numel() / n;
  const Shape& kept = gradient.shape();
  visit_read_type(x.dtype(), [&](auto tag) {
    using C = typename decltype(tag)::type;
    const Tensor products = empty(kept, dtype_of<C>()), counts = empty(kept, Dtype::i64),
                 of_zeros = empty(kept, dtype_of<C>());
    const Scratch partial(partial_bytes(x, axes));
    run_reduction<C>(ProductReducer<C, ZerosAsOnes>(), products, x, axes, partial.get());
    run_reduction<C>(CountReducer<C>(), counts, x, axes, partial.get());
    C *const nonzero = static_cast<C*>(products.raw_data()), *const zero =
                                                                 static_cast<C*>(of_zeros.raw_data());
    const auto* const count = static_cast<const int64_t*>(counts.raw_data());
    const Tensor row_major_gradient = row_major(gradient);
    load_tile(zero, gradient.dtype(), static_cast<const char*>(row_major_gradient.raw_data()), 1, n);
    for (int64_t i = 0; i < n; ++i) {
      const int64_t zeros = size - count[i];
      const C scaled = nonzero[i] * zero[i];
      nonzero[i] = zeros == 0 ? scaled : C{0};
      zero[i] = zeros == 1 ? scaled : C{0};
    }
    // 4: the quotient.
    const Tensor operands[] = {x, products, of_zeros};
    run_elementwise<C, 3>(OtherFactors(), output, operands, 4);
  });
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier {

HWY_EXPORT(product_kernel);
void product_cpu(const Product& op, Inputs inputs, Outputs outputs, void* scratch) {
  ESPALIER_DISPATCH(product_kernel)(op, outputs[0], inputs, scratch);
}

}  // namespace espalier
#endif
ESPALIER_ELEMENTWISE_KERNEL(ProductBackward, product_backward)
