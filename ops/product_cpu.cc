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

#ifndef ESPALIER_PRODUCT_CPU_CC_
#define ESPALIER_PRODUCT_CPU_CC_
namespace espalier {

/// A number for each reduced slice, row-major: its gradient; `products` and `of_zeros` in the type that is
/// computed in, and `counts`, i64.
struct ProductSlices {
  Dims axes;
  const Tensor &gradient, &products, &of_zeros, &counts;
  void* partial;  ///< what the reductions need
};

}  // namespace espalier
#endif

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
void product_backward_kernel(const Tensor& output, const Tensor& x, const ProductSlices& slices) {
  const Tensor &gradient = slices.gradient, &products = slices.products, &counts = slices.counts,
               &of_zeros = slices.of_zeros;
  const int64_t n = gradient.numel(), size = x.numel() / n;
  visit_read_type(x.dtype(), [&](auto tag) {
    using C = typename decltype(tag)::type;
    run_reduction<C>(ProductReducer<C, ZerosAsOnes>(), products, x, slices.axes, slices.partial);
    run_reduction<C>(CountReducer<C>(), counts, x, slices.axes, slices.partial);
    C *const nonzero = static_cast<C*>(products.raw_data()), *const zero =
                                                                 static_cast<C*>(of_zeros.raw_data());
    const auto* const count = static_cast<const int64_t*>(counts.raw_data());
    load_tile(zero, gradient.dtype(), static_cast<const char*>(gradient.raw_data()), 1, n);
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

HWY_EXPORT(product_backward_kernel);

namespace {

/// The axes along which the gradient has one element for all of x.
Dims reduced_between(const Shape& gradient, const Shape& x) {
  Dims axes;
  for (int i = 0; i < x.rank(); ++i) {
    if (gradient[i] != x[i]) axes.push_back(i);
  }
  return axes;
}

class ProductBackwardWork {
 public:
  ProductBackwardWork(const ProductBackward&, Inputs inputs, std::span<const Tensor> outputs, Workspace& work)
      : x_(inputs[1]),
        output_(outputs[0]),
        gradient_(in_row_major(inputs[0], work)),
        products_(local_tensor(gradient_->shape(), computed(), work)),
        of_zeros_(local_tensor(gradient_->shape(), computed(), work)),
        counts_(local_tensor(gradient_->shape(), Dtype::i64, work)),
        slices_{reduced_between(gradient_->shape(), x_.shape()),
                gradient_,
                products_,
                of_zeros_,
                counts_,
                nullptr} {
    slices_.partial = work.take<char>(static_cast<int64_t>(partial_bytes(x_, slices_.axes)));
  }

  void run() const {
    if (x_.numel() > 0) ESPALIER_DISPATCH(product_backward_kernel)(output_, x_, slices_);
  }

 private:
  Dtype computed() const { return x_.dtype() == Dtype::f64 ? Dtype::f64 : Dtype::f32; }

  const Tensor &x_, &output_;
  LocalTensor gradient_, products_, of_zeros_, counts_;
  ProductSlices slices_;
};

}  // namespace

size_t product_backward_scratch(const ProductBackward& op, Inputs inputs, std::span<const Tensor> outputs) {
  return scratch_of<ProductBackwardWork>(op, inputs, outputs);
}
void product_backward_cpu(const ProductBackward& op, Inputs inputs, Outputs outputs, void* scratch) {
  run_with<ProductBackwardWork>(scratch, op, inputs, std::span<const Tensor>(outputs));
}

}  // namespace espalier
#endif
