#include <cmath>

#include "ops/vector_norm.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/vector_norm_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/reducers-inl.h"
#include "ops/vector_math-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {

struct Squares {
  template <class D, class V>
  HWY_ATTR V map(D, V x, V /*centre*/) const {
    return hn::Mul(x, x);
  }
};

struct Powers {
  double order = 1;
  template <class D, class V>
  HWY_ATTR V map(D d, V x, V /*centre*/) const {
    return vector_exp(d, hn::Mul(hn::Set(d, order), vector_log(d, hn::Abs(x))));
  }
};

/// Another reduction's result, at least `floor`. NaN stays.
template <class Reducer>
struct Floored : Reducer {
  using Total = typename Reducer::Total;
  Total floor{0};
  Total finish(Total total) const { return total < floor ? floor : total; }
};

/// The square root of a sum of squares.
struct RootReducer : Floored<SumReducer<double, Squares>> {
  double finish(double total) const { return Floored::finish(std::sqrt(total)); }
};

/// The root, of the same order, of a sum of powers.
struct PowersReducer : Floored<SumReducer<double, Powers>> {
  double finish(double total) const { return Floored::finish(std::pow(total, 1 / order)); }
};

template <class C, class E, class R>
void run_norm(R reducer, const VectorNorm& op, const Tensor& output, const Tensor& input, void* partial) {
  reducer.floor = static_cast<typename R::Total>(op.floor());
  run_reduction<C, E>(reducer, output, input, op.reduced_axes(input.rank()), partial);
}

void vector_norm_kernel(const VectorNorm& op, const Tensor& output, const Tensor& input, void* partial) {
  const double order = op.order();
  visit_read_type(input.dtype(), [&](auto tag) {
    using C = typename decltype(tag)::type;
    if (order == 2) {
      run_norm<double, C>(RootReducer(), op, output, input, partial);
    } else if (order == 1) {
      run_norm<C, C>(Floored<SumReducer<C, Magnitudes>>(), op, output, input, partial);
    } else if (order == 0) {
      run_norm<C, C>(Floored<SumReducer<C, NonzeroFlags>>(), op, output, input, partial);
    } else if (std::isinf(order) && order > 0) {
      run_norm<C, C>(Floored<ExtremumReducer<C, true, Magnitudes>>(), op, output, input, partial);
    } else if (std::isinf(order)) {
      run_norm<C, C>(Floored<ExtremumReducer<C, false, Magnitudes>>(), op, output, input, partial);
    } else {
      PowersReducer reducer;
      reducer.order = order;
      run_norm<double, C>(reducer, op, output, input, partial);
    }
  });
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier {

HWY_EXPORT(vector_norm_kernel);
void vector_norm_cpu(const VectorNorm& op, Inputs inputs, Outputs outputs, void* scratch) {
  ESPALIER_DISPATCH(vector_norm_kernel)(op, outputs[0], inputs[0], scratch);
}

}  // namespace espalier
#endif
