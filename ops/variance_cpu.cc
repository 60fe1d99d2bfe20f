#include <cmath>

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

void spread_kernel(const Spread& op, const Tensor& input, const Tensor& spread, const Tensor& mean, bool root,
                   void* partial) {
  const Dims axes = op.reduced_axes(input.rank());
  const Tensor centres = empty(mean.shape(), Dtype::f64);
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
void variance_cpu(const Variance& op, Inputs inputs, Outputs outputs, void* scratch) {
  ESPALIER_DISPATCH(spread_kernel)(op, inputs[0], outputs[0], outputs[1], false, scratch);
}
void standard_deviation_cpu(const StandardDeviation& op, Inputs inputs, Outputs outputs, void* scratch) {
  ESPALIER_DISPATCH(spread_kernel)(op, inputs[0], outputs[0], outputs[1], true, scratch);
}

}  // namespace espalier
#endif
