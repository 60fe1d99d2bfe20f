#include <cmath>

#include "ops/adam_step.h"
#include "ops/update_internal.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/adam_step_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/update-inl.h"
// clang-format on

#ifndef ESPALIER_ADAM_STEP_CPU_CC_
#define ESPALIER_ADAM_STEP_CPU_CC_
namespace espalier {

/// What the formulas need of the rule, the learning rate and the step, once for all elements.
struct AdamFactors {
  double mean_rate;    ///< 1 - beta1
  double square_rate;  ///< 1 - beta2
  double root_scale;   ///< 1 / sqrt(1 - beta2^step)
  double epsilon;
  double step_size;  ///< learning rate / (1 - beta1^step)
  double kept;       ///< what decoupled decay leaves of a parameter
  double decay;      ///< weight decay that goes into the gradient

  AdamFactors(const AdamRule& rule, double rate, double beta1, double step)
      : mean_rate(1 - beta1),
        square_rate(1 - rule.beta2),
        root_scale(1 / std::sqrt(1 - std::pow(rule.beta2, step))),
        epsilon(rule.epsilon),
        step_size(rate / (1 - std::pow(beta1, step))),
        kept(rule.decoupled ? 1 - rate * rule.weight_decay : 1),
        decay(rule.decoupled ? 0 : rule.weight_decay) {}
};

}  // namespace espalier
#endif

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {

template <class C, bool kLargest>
struct AdamElements {
  C mean_rate, square_rate, root_scale, epsilon, step_size, kept, decay;

  explicit AdamElements(const AdamFactors& factors)
      : mean_rate(static_cast<C>(factors.mean_rate)),
        square_rate(static_cast<C>(factors.square_rate)),
        root_scale(static_cast<C>(factors.root_scale)),
        epsilon(static_cast<C>(factors.epsilon)),
        step_size(static_cast<C>(factors.step_size)),
        kept(static_cast<C>(factors.kept)),
        decay(static_cast<C>(factors.decay)) {}

  template <class D, class V>
  HWY_ATTR void operator()(D d, V& parameter, V gradient, V& mean, V& square, V& largest) const {
    if (decay != 0) gradient = hn::MulAdd(hn::Set(d, decay), parameter, gradient);
    mean = hn::MulAdd(hn::Set(d, mean_rate), hn::Sub(gradient, mean), mean);
    square = hn::MulAdd(hn::Set(d, square_rate), hn::MulSub(gradient, gradient, square), square);
    V scale = square;
    // A NaN in the square stays one: Max would give the other operand.
    if constexpr (kLargest) scale = largest = hn::IfThenElse(hn::Ge(largest, square), largest, square);
    const V root = hn::MulAdd(hn::Sqrt(scale), hn::Set(d, root_scale), hn::Set(d, epsilon));
    const V change = hn::Div(hn::Mul(hn::Set(d, step_size), mean), root);
    parameter = hn::MulSub(hn::Set(d, kept), parameter, change);
  }
};

template <class C>
void adam(const AdamFactors& factors, Inputs operands) {
  // Seven memory streams, where an addition of arrays, the unit of work, has three; in cache the root and the
  // quotient cost about as much as eight additions.
  constexpr int64_t kWork = 8;
  if (operands[4].defined()) return run_update<C, 5>(AdamElements<C, true>(factors), operands, kWork);
  run_update<C, 4>(AdamElements<C, false>(factors), operands, kWork);
}

void adam_kernel(const AdamFactors& factors, Inputs operands) {
  if (operands[0].dtype() == Dtype::f64) return adam<double>(factors, operands);
  adam<float>(factors, operands);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier {

HWY_EXPORT(adam_kernel);

void adam_step_cpu(const AdamStep& op, Inputs inputs, Outputs outputs) {
  const double step = count_step(AdamStep::kName, outputs[outputs.size() - 1]);
  const AdamFactors factors(op.rule(), inputs[5].item(), inputs[6].item(), step);
  ESPALIER_DISPATCH(adam_kernel)(factors, inputs);
}

}  // namespace espalier
#endif
