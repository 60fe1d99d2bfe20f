#include "ops/sgd_step.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/sgd_step_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/update-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {

template <class C, bool kMoving>
struct SgdElements {
  C rate, momentum, decay;
  bool nesterov;

  template <class D, class V>
  HWY_ATTR void operator()(D d, V& parameter, V gradient, V& velocity, V&, V&) const {
    if (decay != 0) gradient = hn::MulAdd(hn::Set(d, decay), parameter, gradient);
    if constexpr (kMoving) {
      const V kept = hn::Set(d, momentum);
      velocity = hn::MulAdd(kept, velocity, gradient);
      gradient = nesterov ? hn::MulAdd(kept, velocity, gradient) : velocity;
    }
    parameter = hn::NegMulAdd(hn::Set(d, rate), gradient, parameter);
  }
};

template <class C>
void sgd(const SgdRule& rule, double rate, double momentum, Inputs operands) {
  const auto elements = [&]<bool kMoving>() {
    return SgdElements<C, kMoving>{static_cast<C>(rate), static_cast<C>(momentum),
                                   static_cast<C>(rule.weight_decay), rule.nesterov};
  };
  // Five memory streams, or three, where an addition of arrays, the unit of work, has three.
  if (operands[2].defined()) return run_update<C, 3>(elements.template operator()<true>(), operands, 2);
  run_update<C, 2>(elements.template operator()<false>(), operands, 1);
}

void sgd_kernel(const SgdRule& rule, double rate, double momentum, Inputs operands) {
  if (operands[0].dtype() == Dtype::f64) return sgd<double>(rule, rate, momentum, operands);
  sgd<float>(rule, rate, momentum, operands);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier {

HWY_EXPORT(sgd_kernel);

void sgd_step_cpu(const SgdStep& op, Inputs inputs, Outputs) {
  const double momentum = inputs[4].defined() ? inputs[4].item() : 0;
  ESPALIER_DISPATCH(sgd_kernel)(op.rule(), inputs[3].item(), momentum, inputs);
}

}  // namespace espalier
#endif
