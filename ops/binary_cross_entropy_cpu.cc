#include <cmath>
#include <string>
#include <vector>

#include "ops/binary_cross_entropy.h"
#include "ops/loss_internal.h"
#include "ops/scratch_internal.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/binary_cross_entropy_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/mean_loss-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {

struct BinaryCrossEntropyElements {
  template <class D, class V>
  HWY_ATTR V loss(D d, V p, V y) const {
    const V least = hn::Set(d, hn::TFromD<D>{-100});
    const V one = hn::Set(d, hn::TFromD<D>{1});
    // Max(a, x) is x where x is NaN.
    const V log_yes = hn::Max(least, vector_log(d, p));
    const V log_no = hn::Max(least, vector_log1p(d, hn::Neg(p)));
    return hn::Neg(hn::MulAdd(y, log_yes, hn::Mul(hn::Sub(one, y), log_no)));
  }
  template <class D, class V>
  HWY_ATTR V slope(D d, V p, V y) const {
    const V one = hn::Set(d, hn::TFromD<D>{1});
    const V least = hn::Set(d, static_cast<hn::TFromD<D>>(1e-12));
    return hn::Div(hn::Sub(p, y), hn::Max(least, hn::Mul(p, hn::Sub(one, p))));
  }
};

/// Simple operations an element.
inline constexpr int64_t kBinaryCrossEntropyWork = 25;

void binary_cross_entropy_kernel(Inputs inputs, const Tensor& output) {
  mean_loss(BinaryCrossEntropyElements(), inputs, output, kBinaryCrossEntropyWork);
}

void binary_cross_entropy_backward_kernel(Inputs inputs, const Tensor& output) {
  mean_loss_gradient(BinaryCrossEntropyElements(), inputs, output, kBinaryCrossEntropyWork);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier {

namespace {

void check_probabilities(const Tensor& probabilities) {
  const std::vector<float> values = row_major_f32(probabilities).to_vector<float>();
  for (size_t i = 0; i < values.size(); ++i) {
    if (!(values[i] < 0) && !(values[i] > 1)) continue;
    throw ValueError(BinaryCrossEntropy::kName,
                     "probability " + std::to_string(values[i]) + " at position " +
                         to_string(position_of(static_cast<int64_t>(i), probabilities.shape())) + " of " +
                         describe(probabilities) +
                         " is outside [0, 1]; for logits use binary_cross_entropy_with_logits");
  }
}

}  // namespace

HWY_EXPORT(binary_cross_entropy_kernel);
void binary_cross_entropy_cpu(const BinaryCrossEntropy&, Inputs inputs, Outputs outputs) {
  ESPALIER_DISPATCH(binary_cross_entropy_kernel)(inputs, outputs[0]);
  // The logarithm of a negative number is NaN, so only then is there something to look for.
  if (std::isnan(outputs[0].item())) check_probabilities(inputs[0]);
}

HWY_EXPORT(binary_cross_entropy_backward_kernel);
void binary_cross_entropy_backward_cpu(const BinaryCrossEntropyBackward&, Inputs inputs, Outputs outputs) {
  ESPALIER_DISPATCH(binary_cross_entropy_backward_kernel)(inputs, outputs[0]);
}

}  // namespace espalier
#endif
