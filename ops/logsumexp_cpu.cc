#include <cmath>

#include "core/parallel.h"
#include "ops/logsumexp.h"
#include "ops/scratch_internal.h"

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

/// `centres`, of the type that is computed in, and `sums`, f64, have the output's shape.
void logsumexp_kernel(const Dims& axes, const Tensor& output, const Tensor& input, const Tensor& centres,
                      const Tensor& sums, void* partial) {
  const int64_t n = output.numel();
  visit_read_type(input.dtype(), [&](auto tag) {
    using C = typename decltype(tag)::type;
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

namespace {

class LogSumExpWork {
 public:
  LogSumExpWork(const LogSumExp& op, Inputs inputs, std::span<const Tensor> outputs, Workspace& work)
      : axes_(op.reduced_axes(inputs[0].rank())),
        input_(inputs[0]),
        output_(outputs[0]),
        centres_(local_tensor(output_.shape(), input_.dtype() == Dtype::f64 ? Dtype::f64 : Dtype::f32, work)),
        sums_(local_tensor(output_.shape(), Dtype::f64, work)),
        partial_(work.take<char>(static_cast<int64_t>(partial_bytes(input_, axes_)))) {}

  void run() const { ESPALIER_DISPATCH(logsumexp_kernel)(axes_, output_, input_, centres_, sums_, partial_); }

 private:
  Dims axes_;
  const Tensor &input_, &output_;
  LocalTensor centres_, sums_;
  void* partial_;
};

}  // namespace

size_t logsumexp_scratch(const LogSumExp& op, Inputs inputs, std::span<const Tensor> outputs) {
  return scratch_of<LogSumExpWork>(op, inputs, outputs);
}
void logsumexp_cpu(const LogSumExp& op, Inputs inputs, Outputs outputs, void* scratch) {
  run_with<LogSumExpWork>(scratch, op, inputs, std::span<const Tensor>(outputs));
}

}  // namespace espalier
#endif
