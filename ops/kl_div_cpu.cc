#include "ops/kl_div.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/kl_div_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/element_loss-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {

struct KlElements {
  template <class D, class V>
  HWY_ATTR V loss(D d, V x, V t) const {
    const V entropy = hn::Mul(t, vector_log(d, t));
    return hn::NegMulAdd(t, x, hn::IfThenZeroElse(hn::Eq(t, hn::Zero(d)), entropy));
  }
  template <class D, class V>
  HWY_ATTR V slope(D, V, V t) const {
    return hn::Neg(t);
  }
};

struct KlLogElements {
  template <class D, class V>
  HWY_ATTR V loss(D d, V x, V t) const {
    return hn::Mul(vector_exp(d, t), hn::Sub(t, x));
  }
  template <class D, class V>
  HWY_ATTR V slope(D d, V, V t) const {
    return hn::Neg(vector_exp(d, t));
  }
};

/// Simple operations an element.
inline constexpr int64_t kKlWork = 15;

void kl_div_kernel(const KlDiv& loss, const Tensor& output, Inputs inputs, void* scratch) {
  if (loss.log_target())
    return element_loss<2>(KlLogElements(), loss.reduction(), output, inputs, kKlWork, scratch);
  element_loss<2>(KlElements(), loss.reduction(), output, inputs, kKlWork, scratch);
}

void kl_div_backward_kernel(const KlDivBackward& loss, const Tensor& output, Inputs inputs) {
  if (loss.log_target())
    return element_loss_gradient<2>(KlLogElements(), loss.reduction(), output, inputs, kKlWork);
  element_loss_gradient<2>(KlElements(), loss.reduction(), output, inputs, 1);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

ESPALIER_ELEMENT_LOSS_KERNEL(KlDiv, kl_div)
ESPALIER_ELEMENTWISE_KERNEL(KlDivBackward, kl_div_backward)
