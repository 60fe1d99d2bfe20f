#include "ops/binary_cross_entropy_with_logits.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/binary_cross_entropy_with_logits_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/mean_loss-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {

struct BinaryCrossEntropyWithLogitsElements {
  template <class D, class V>
  HWY_ATTR V loss(D d, V x, V y) const {
    const V e = vector_exp(d, hn::Neg(hn::Abs(x)));
    const V linear = hn::NegMulAdd(x, y, hn::Max(hn::Zero(d), x));
    return hn::Add(linear, vector_log1p(d, e));
  }
  template <class D, class V>
  HWY_ATTR V slope(D d, V x, V y) const {
    return hn::Sub(vector_sigmoid(d, x), y);
  }
};

/// Simple operations an element.
inline constexpr int64_t kBinaryCrossEntropyWithLogitsWork = 25;

void binary_cross_entropy_with_logits_kernel(Inputs inputs, const Tensor& output) {
  mean_loss(BinaryCrossEntropyWithLogitsElements(), inputs, output, kBinaryCrossEntropyWithLogitsWork);
}

void binary_cross_entropy_with_logits_backward_kernel(Inputs inputs, const Tensor& output) {
  mean_loss_gradient(BinaryCrossEntropyWithLogitsElements(), inputs, output,
                     kBinaryCrossEntropyWithLogitsWork);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier {

HWY_EXPORT(binary_cross_entropy_with_logits_kernel);
void binary_cross_entropy_with_logits_cpu(const BinaryCrossEntropyWithLogits&, Inputs inputs,
                                          Outputs outputs) {
  ESPALIER_DISPATCH(binary_cross_entropy_with_logits_kernel)(inputs, outputs[0]);
}

HWY_EXPORT(binary_cross_entropy_with_logits_backward_kernel);
void binary_cross_entropy_with_logits_backward_cpu(const BinaryCrossEntropyWithLogitsBackward&, Inputs inputs,
                                                   Outputs outputs) {
  ESPALIER_DISPATCH(binary_cross_entropy_with_logits_backward_kernel)(inputs, outputs[0]);
}

}  // namespace espalier
#endif
