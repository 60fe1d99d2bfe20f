#include "ops/kl_div.h"

#include "ops/add.h"
#include "ops/cast.h"
#include "ops/equal.h"
#include "ops/exp.h"
#include "ops/log.h"
#include "ops/loss_internal.h"
#include "ops/multiply.h"
#include "ops/subtract.h"

namespace espalier {

Tensors KlDiv::backward(const BackwardContext& context) const {
  const Tensor &x = context.input(0), &t = context.input(1), &gradient = context.gradient(0);
  Tensors gradients(2);
  if (context.wants(0)) gradients[0] = apply_one(KlDivBackward(log_target_, reduction()), gradient, x, t);
  if (context.wants(1)) {
    const Tensor slope = log_target_ ? exp(t) * (t - x + 1) : log(t) + 1 - x;
    gradients[1] = slope * term_gradient(gradient, reduction(), x.numel());
  }
  return gradients;
}

Tensors KlDiv::decompose(Inputs inputs) const {
  const Tensor &x = inputs[0], &t = inputs[1];
  if (log_target_) return {reduced_loss(exp(t) * (t - x), reduction())};
  // The logarithm of 1 in place of 0, which is multiplied by 0.
  const Tensor logs = log(t + cast(equal(t, 0), t.dtype()));
  return {reduced_loss(t * (logs - x), reduction())};
}

Tensor kl_div(const Tensor& log_probabilities, const Tensor& targets, const KlDivOptions& options) {
  return apply_one(KlDiv(options.log_target, options.reduction), log_probabilities, targets);
}

}  // namespace espalier
