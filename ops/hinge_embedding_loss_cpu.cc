#include <limits>

#include "ops/element_check_internal.h"
#include "ops/hinge_embedding_loss.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/hinge_embedding_loss_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/element_loss-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {

struct HingeElements {
  double margin;

  // What is neither 1 nor -1 shows as NaN. Max gives its second argument where it is NaN.
  template <class D, class V>
  HWY_ATTR V loss(D d, V x, V target) const {
    using T = hn::TFromD<D>;
    const V apart = hn::Max(hn::Zero(d), hn::Sub(hn::Set(d, static_cast<T>(margin)), x));
    const V nan = hn::Set(d, std::numeric_limits<T>::quiet_NaN());
    return hn::IfThenElse(hn::Eq(target, hn::Set(d, T{1})), x,
                          hn::IfThenElse(hn::Eq(target, hn::Set(d, T{-1})), apart, nan));
  }
  template <class D, class V>
  HWY_ATTR V slope(D d, V x, V target) const {
    using T = hn::TFromD<D>;
    const V one = hn::Set(d, T{1});
    const auto near = hn::Le(x, hn::Set(d, static_cast<T>(margin)));
    return hn::IfThenElse(hn::Eq(target, one), one, hn::IfThenElseZero(near, hn::Neg(one)));
  }
};

/// Simple operations an element.
inline constexpr int64_t kHingeWork = 5;

void hinge_embedding_loss_kernel(const HingeEmbeddingLoss& loss, const Tensor& output, Inputs inputs,
                                 void* scratch) {
  element_loss<2>(HingeElements{loss.margin()}, loss.reduction(), output, inputs, kHingeWork, scratch);
}

void hinge_embedding_loss_backward_kernel(const HingeEmbeddingLossBackward& loss, const Tensor& output,
                                          Inputs inputs) {
  element_loss_gradient<2>(HingeElements{loss.margin()}, loss.reduction(), output, inputs, kHingeWork);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

ESPALIER_ELEMENTWISE_KERNEL(HingeEmbeddingLossBackward, hinge_embedding_loss_backward)

#if HWY_ONCE
namespace espalier {

HWY_EXPORT(hinge_embedding_loss_kernel);
void hinge_embedding_loss_cpu(const HingeEmbeddingLoss& loss, Inputs inputs, Outputs outputs, void* scratch) {
  ESPALIER_DISPATCH(hinge_embedding_loss_kernel)(loss, outputs[0], inputs, scratch);
  if (!has_nan(outputs[0])) return;
  check_elements(
      HingeEmbeddingLoss::kName, "target", inputs[1],
      [](double value) { return value != 1 && value != -1 && !std::isnan(value); }, "is neither 1 nor -1");
}

}  // namespace espalier
#endif
