#include <limits>

#include "ops/binary_cross_entropy.h"
#include "ops/element_check_internal.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/binary_cross_entropy_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/element_loss-inl.h"
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
    const V loss = hn::Neg(hn::MulAdd(y, log_yes, hn::Mul(hn::Sub(one, y), log_no)));
    // A target that is none shows as NaN, as a probability does.
    const V nan = hn::Set(d, std::numeric_limits<hn::TFromD<D>>::quiet_NaN());
    return hn::IfThenElse(hn::And(hn::Ge(y, hn::Zero(d)), hn::Le(y, one)), loss, nan);
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

void binary_cross_entropy_kernel(const BinaryCrossEntropy& loss, const Tensor& output, Inputs inputs,
                                 void* scratch) {
  element_loss<2>(BinaryCrossEntropyElements(), loss.reduction(), output, inputs, kBinaryCrossEntropyWork,
                  scratch);
}

void binary_cross_entropy_backward_kernel(const BinaryCrossEntropyBackward& loss, const Tensor& output,
                                          Inputs inputs) {
  element_loss_gradient<2>(BinaryCrossEntropyElements(), loss.reduction(), output, inputs,
                           kBinaryCrossEntropyWork);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

ESPALIER_ELEMENTWISE_KERNEL(BinaryCrossEntropyBackward, binary_cross_entropy_backward)

#if HWY_ONCE
namespace espalier {

HWY_EXPORT(binary_cross_entropy_kernel);
void binary_cross_entropy_cpu(const BinaryCrossEntropy& loss, Inputs inputs, Outputs outputs, void* scratch) {
  ESPALIER_DISPATCH(binary_cross_entropy_kernel)(loss, outputs[0], inputs, scratch);
  // What is not a probability gives NaN, so only then is there something to look for.
  if (!has_nan(outputs[0])) return;
  const auto outside = [](double value) { return value < 0 || value > 1; };
  check_elements(BinaryCrossEntropy::kName, "probability", inputs[0], outside,
                 "is outside [0, 1]; for logits use binary_cross_entropy_with_logits");
  check_elements(BinaryCrossEntropy::kName, "target", inputs[1], outside, "is outside [0, 1]");
}

}  // namespace espalier
#endif
