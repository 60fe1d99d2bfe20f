#include "ops/mse_loss.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/mse_loss_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/element_loss-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {

struct MseLossElements {
  template <class D, class V>
  HWY_ATTR V loss(D, V prediction, V target) const {
    const V error = hn::Sub(prediction, target);
    return hn::Mul(error, error);
  }
  template <class D, class V>
  HWY_ATTR V slope(D, V prediction, V target) const {
    const V error = hn::Sub(prediction, target);
    return hn::Add(error, error);
  }
};

/// Simple operations an element.
inline constexpr int64_t kMseLossWork = 2;

void mse_loss_kernel(const MseLoss& loss, const Tensor& output, Inputs inputs, void* scratch) {
  element_loss<2>(MseLossElements(), loss.reduction(), output, inputs, kMseLossWork, scratch);
}

void mse_loss_backward_kernel(const MseLossBackward& loss, const Tensor& output, Inputs inputs) {
  element_loss_gradient<2>(MseLossElements(), loss.reduction(), output, inputs, kMseLossWork);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

ESPALIER_ELEMENT_LOSS_KERNEL(MseLoss, mse_loss)
ESPALIER_ELEMENTWISE_KERNEL(MseLossBackward, mse_loss_backward)
