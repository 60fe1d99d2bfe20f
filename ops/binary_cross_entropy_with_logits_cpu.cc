#include "ops/binary_cross_entropy_with_logits.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/binary_cross_entropy_with_logits_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/element_loss-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {

struct BinaryCrossEntropyWithLogitsElements {
  // Where x > 0: (1 - y) x, else -y x; 0 is not multiplied with an infinite x that it does not belong to.
  template <class D, class V>
  HWY_ATTR V loss(D d, V x, V y) const {
    const V one = hn::Set(d, hn::TFromD<D>{1});
    const V magnitude = hn::Abs(x);
    const V factor = hn::IfThenElse(hn::Gt(x, hn::Zero(d)), hn::Sub(one, y), y);
    return hn::MulAdd(factor, magnitude, vector_log1p(d, vector_exp(d, hn::Neg(magnitude))));
  }
  template <class D, class V>
  HWY_ATTR V slope(D d, V x, V y) const {
    return hn::Sub(vector_sigmoid(d, x), y);
  }
  template <class D, class V>
  HWY_ATTR V loss(D d, V x, V y, V positive) const {
    const V one = hn::Set(d, hn::TFromD<D>{1});
    const V magnitude = hn::Abs(x);
    const V no = hn::Sub(one, y), yes = hn::Mul(positive, y);
    const V logarithm = hn::Mul(hn::Add(no, yes), vector_log1p(d, vector_exp(d, hn::Neg(magnitude))));
    return hn::MulAdd(hn::IfThenElse(hn::Gt(x, hn::Zero(d)), no, yes), magnitude, logarithm);
  }
  template <class D, class V>
  HWY_ATTR V slope(D d, V x, V y, V positive) const {
    const V one = hn::Set(d, hn::TFromD<D>{1});
    const V no = hn::Mul(hn::Sub(one, y), vector_sigmoid(d, x));
    return hn::NegMulAdd(hn::Mul(positive, y), vector_sigmoid(d, hn::Neg(x)), no);
  }
};

/// Simple operations an element.
inline constexpr int64_t kBinaryCrossEntropyWithLogitsWork = 25;

void binary_cross_entropy_with_logits_kernel(const BinaryCrossEntropyWithLogits& loss, const Tensor& output,
                                             Inputs inputs, void* scratch) {
  const BinaryCrossEntropyWithLogitsElements elements;
  if (inputs.size() == 2)
    element_loss<2>(elements, loss.reduction(), output, inputs, kBinaryCrossEntropyWithLogitsWork, scratch);
  else
    element_loss<3>(elements, loss.reduction(), output, inputs, kBinaryCrossEntropyWithLogitsWork, scratch);
}

void binary_cross_entropy_with_logits_backward_kernel(const BinaryCrossEntropyWithLogitsBackward& loss,
                                                      const Tensor& output, Inputs inputs) {
  const BinaryCrossEntropyWithLogitsElements elements;
  if (inputs.size() == 3)
    element_loss_gradient<2>(elements, loss.reduction(), output, inputs, kBinaryCrossEntropyWithLogitsWork);
  else
    element_loss_gradient<3>(elements, loss.reduction(), output, inputs, kBinaryCrossEntropyWithLogitsWork);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

ESPALIER_ELEMENT_LOSS_KERNEL(BinaryCrossEntropyWithLogits, binary_cross_entropy_with_logits)
ESPALIER_ELEMENTWISE_KERNEL(BinaryCrossEntropyWithLogitsBackward, binary_cross_entropy_with_logits_backward)
