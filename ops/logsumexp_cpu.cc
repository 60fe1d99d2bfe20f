#include <cmath>

#include "core/parallel.h"
#include "ops/logsumexp.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/logsumexp_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/reducers-inl.h"
#include "ops/vector_math-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {

/// e^(x - m), where m is the centre.
struct Exponentials {
  template <class D, class V>
  HWY_ATTR V map(D d, V x, V largest) const {
    return vector_exp(d, hn::Sub(x, largest));
  }
};

void logsumexp_kernel(const LogSumExp& op, const Tensor& output, const Tensor& input, void* partial) {
  const Dims axes = op.reduced_axes(input.rank());
  const int64_t n = output.numel();
  visit_read_type(input.dtype(), [&](auto tag) {
    using C = typename decltype(tag)::type;
    const Tensor centres = empty(output.shape(), dtype_of<C>()), sums = empty(output.shape(), Dtype::f64);
    C* const centre = static_cast<C*>(centres.raw_data());
    const double* const sum = static_cast<const double*>(sums.raw_data());
    run_reduction<C>(ExtremumReducer<C, true>(), centres, input, axes, partial);
    for (int64_t i = 0; i < n; ++i) {
      if (std::isinf(centre[i])) centre[i] = 0;  // infinity - infinity would be NaN
    }
    run_reduction<C>(SumReducer<C, Exponentials>(), sums, input, axes, partial, centres);
    // 64: a logarithm of the standard library.
    parallel_for(0, n, kSerialWork / 64, [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i) centre[i] += static_cast<C>(std::log(sum[i]));
    });
    store_tile(centre, output.dtype(), static_cast<char*>(output.raw_data()), 1, n);
  });
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier {

HWY_EXPORT(logsumexp_kernel);
void logsumexp_cpu(const LogSumExp& op, Inputs inputs, Outputs outputs, void* scratch) {
  ESPALIER_DISPATCH(logsumexp_kernel)(op, outputs[0], inputs[0], scratch);
}

}  // namespace espalier
#endif
