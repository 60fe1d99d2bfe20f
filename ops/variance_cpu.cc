#include <cmath>

#include "ops/scratch_internal.h"
#include "ops/variance.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/variance_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/reducers-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {

/// Squares of the deviations from the mean, which is the centre.
struct SquaredDeviations {
  template <class D, class V>
  HWY_ATTR V map(D, V x, V mean) const {
    const V deviation = hn::Sub(x, mean);
    return hn::Mul(deviation, deviation);
  }
};

struct SpreadReducer : SumReducer<double, SquaredDeviations> {
  bool root;

  SpreadReducer(double degrees_of_freedom, bool root_) : root(root_) { divisor = degrees_of_freedom; }
  double finish(double total) const { return root ? std::sqrt(total / divisor) : total / divisor; }
};

/// `centres`, f64, has the shape of the mean.
void spread_kernel(const Spread& op, const Dims& axes, const Tensor& input, const Tensor& spread,
                   const Tensor& mean, bool root, const Tensor& centres, void* partial) {
  const int64_t outputs = mean.numel();
  if (outputs == 0) return;
  const int64_t elements = input.numel() / outputs;
  visit_read_type(input.dtype(), [&](auto tag) {
    using E = typename decltype(tag)::type;
    run_reduction<double, E>(SumReducer<double>{{}, static_cast<double>(elements)}, centres, input, axes,
                             partial);
    run_reduction<double, E>(SpreadReducer(op.degrees_of_freedom(input.shape()), root), spread, input, axes,
                             partial, centres);
  });
  store_tile(static_cast<const double*>(centres.raw_data()), mean.dtype(),
             static_cast<char*>(mean.raw_data()), 1, outputs);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier {

HWY_EXPORT(spread_kernel);

namespace {

template <bool root>
class SpreadWork {
 public:
  SpreadWork(const Spread& op, Inputs inputs, std::span<const Tensor> outputs, Workspace& work)
      : op_(op),
        axes_(op.reduced_axes(inputs[0].rank())),
        input_(inputs[0]),
        spread_(outputs[0]),
        mean_(outputs[1]),
        centres_(local_tensor(mean_.shape(), Dtype::f64, work)),
        partial_(work.take<char>(static_cast<int64_t>(partial_bytes(input_, axes_)))) {}

  void run() const {
    ESPALIER_DISPATCH(spread_kernel)(op_, axes_, input_, spread_, mean_, root, centres_, partial_);
  }

 private:
  const Spread& op_;
  Dims axes_;
  const Tensor &input_, &spread_, &mean_;
  LocalTensor centres_;
  void* partial_;
};

}  // namespace

size_t variance_scratch(const Variance& op, Inputs inputs, std::span<const Tensor> outputs) {
  return scratch_of<SpreadWork<false>>(op, inputs, outputs);
}
void variance_cpu(const Variance& op, Inputs inputs, Outputs outputs, void* scratch) {
  run_with<SpreadWork<false>>(scratch, op, inputs, std::span<const Tensor>(outputs));
}

size_t standard_deviation_scratch(const StandardDeviation& op, Inputs inputs,
                                  std::span<const Tensor> outputs) {
  return scratch_of<SpreadWork<true>>(op, inputs, outputs);
}
void standard_deviation_cpu(const StandardDeviation& op, Inputs inputs, Outputs outputs, void* scratch) {
  run_with<SpreadWork<true>>(scratch, op, inputs, std::span<const Tensor>(outputs));
}

}  // namespace espalier
#endif
