#include "ops/l1_loss.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/l1_loss_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/element_loss-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {

struct L1Elements {
  template <class D, class V>
  HWY_ATTR V loss(D, V prediction, V target) const {
    return hn::Abs(hn::Sub(prediction, target));
  }
  template <class D, class V>
  HWY_ATTR V slope(D d, V prediction, V target) const {
    const V error = hn::Sub(prediction, target);
    const V sign = hn::CopySign(hn::Set(d, hn::TFromD<D>{1}), error);
    return hn::IfThenElseZero(hn::Gt(hn::Abs(error), hn::Zero(d)), sign);
  }
};

struct HuberElements {
  double delta;

  template <class D, class V>
  HWY_ATTR V loss(D d, V prediction, V target) const {
    using T = hn::TFromD<D>;
    const V limit = hn::Set(d, static_cast<T>(delta));
    const V half = hn::Set(d, static_cast<T>(0.5));
    const V error = hn::Abs(hn::Sub(prediction, target));
    const V square = hn::Mul(hn::Mul(half, error), error);
    const V line = hn::Mul(limit, hn::Sub(error, hn::Mul(half, limit)));
    return hn::IfThenElse(hn::Le(error, limit), square, line);
  }
  // Max and Min give their second argument where it is NaN.
  template <class D, class V>
  HWY_ATTR V slope(D d, V prediction, V target) const {
    const V limit = hn::Set(d, static_cast<hn::TFromD<D>>(delta));
    return hn::Max(hn::Neg(limit), hn::Min(limit, hn::Sub(prediction, target)));
  }
};

struct SmoothL1Elements {
  double beta;

  template <class D, class V>
  HWY_ATTR V loss(D d, V prediction, V target) const {
    using T = hn::TFromD<D>;
    const V limit = hn::Set(d, static_cast<T>(beta));
    const V half = hn::Set(d, static_cast<T>(0.5));
    const V error = hn::Abs(hn::Sub(prediction, target));
    const V square = hn::Div(hn::Mul(hn::Mul(half, error), error), limit);
    const V line = hn::Sub(error, hn::Mul(half, limit));
    return hn::IfThenElse(hn::Lt(error, limit), square, line);
  }
  template <class D, class V>
  HWY_ATTR V slope(D d, V prediction, V target) const {
    using T = hn::TFromD<D>;
    const V one = hn::Set(d, T{1});
    const V ratio = hn::Div(hn::Sub(prediction, target), hn::Set(d, static_cast<T>(beta)));
    return hn::Max(hn::Neg(one), hn::Min(one, ratio));
  }
};

/// Simple operations an element, of which a division counts as four.
inline constexpr int64_t kL1Work = 2, kHuberWork = 6, kSmoothL1Work = 10;

void l1_loss_kernel(const L1Loss& loss, const Tensor& output, Inputs inputs, void* scratch) {
  element_loss<2>(L1Elements(), loss.reduction(), output, inputs, kL1Work, scratch);
}

void l1_loss_backward_kernel(const L1LossBackward& loss, const Tensor& output, Inputs inputs) {
  element_loss_gradient<2>(L1Elements(), loss.reduction(), output, inputs, kL1Work);
}

void huber_loss_kernel(const HuberLoss& loss, const Tensor& output, Inputs inputs, void* scratch) {
  element_loss<2>(HuberElements{loss.delta()}, loss.reduction(), output, inputs, kHuberWork, scratch);
}

void huber_loss_backward_kernel(const HuberLossBackward& loss, const Tensor& output, Inputs inputs) {
  element_loss_gradient<2>(HuberElements{loss.delta()}, loss.reduction(), output, inputs, kHuberWork);
}

void smooth_l1_loss_kernel(const SmoothL1Loss& loss, const Tensor& output, Inputs inputs, void* scratch) {
  element_loss<2>(SmoothL1Elements{loss.beta()}, loss.reduction(), output, inputs, kSmoothL1Work, scratch);
}

void smooth_l1_loss_backward_kernel(const SmoothL1LossBackward& loss, const Tensor& output, Inputs inputs) {
  element_loss_gradient<2>(SmoothL1Elements{loss.beta()}, loss.reduction(), output, inputs, kSmoothL1Work);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

ESPALIER_ELEMENT_LOSS_KERNEL(L1Loss, l1_loss)
ESPALIER_ELEMENTWISE_KERNEL(L1LossBackward, l1_loss_backward)
ESPALIER_ELEMENT_LOSS_KERNEL(HuberLoss, huber_loss)
ESPALIER_ELEMENTWISE_KERNEL(HuberLossBackward, huber_loss_backward)
ESPALIER_ELEMENT_LOSS_KERNEL(SmoothL1Loss, smooth_l1_loss)
ESPALIER_ELEMENTWISE_KERNEL(SmoothL1LossBackward, smooth_l1_loss_backward)
