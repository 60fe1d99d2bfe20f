#include "ops/mse_loss.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/mse_loss_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/mean_loss-inl.h"
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

void mse_loss_kernel(Inputs inputs, const Tensor& output) {
  mean_loss(MseLossElements(), inputs, output, kMseLossWork);
}

void mse_loss_backward_kernel(Inputs inputs, const Tensor& output) {
  mean_loss_gradient(MseLossElements(), inputs, output, kMseLossWork);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier {

HWY_EXPORT(mse_loss_kernel);
void mse_loss_cpu(const MseLoss&, Inputs inputs, Outputs outputs) {
  ESPALIER_DISPATCH(mse_loss_kernel)(inputs, outputs[0]);
}

HWY_EXPORT(mse_loss_backward_kernel);
void mse_loss_backward_cpu(const MseLossBackward&, Inputs inputs, Outputs outputs) {
  ESPALIER_DISPATCH(mse_loss_backward_kernel)(inputs, outputs[0]);
}

}  // namespace espalier
#endif
