#include "ops/l1_loss.h"

#include "ops/abs.h"
#include "ops/add.h"
#include "ops/loss_internal.h"
#include "ops/multiply.h"
#include "ops/relu.h"
#include "ops/subtract.h"

namespace espalier {
namespace {

/// |e| up to `limit`, and what is beyond: the parts add up to |e|, of whatever size, without rounding away
/// the smaller one.
struct SplitError {
  Tensor inside, beyond;

  SplitError(Inputs inputs, double limit) {
    const Tensor magnitude = abs(inputs[0] - inputs[1]);
    beyond = relu(magnitude - limit);
    inside = magnitude - beyond;
  }
};

}  // namespace

Tensors L1Loss::backward(const BackwardContext& context) const {
  return symmetric_loss_gradients(context, L1LossBackward(reduction()));
}

Tensors L1Loss::decompose(Inputs inputs) const {
  return {reduced_loss(abs(inputs[0] - inputs[1]), reduction())};
}

Tensors HuberLoss::backward(const BackwardContext& context) const {
  return symmetric_loss_gradients(context, HuberLossBackward(delta_, reduction()));
}

Tensors HuberLoss::decompose(Inputs inputs) const {
  const SplitError error(inputs, delta_);
  return {reduced_loss(error.inside * error.inside * 0.5 + error.beyond * delta_, reduction())};
}

Tensors SmoothL1Loss::backward(const BackwardContext& context) const {
  return symmetric_loss_gradients(context, SmoothL1LossBackward(beta_, reduction()));
}

Tensors SmoothL1Loss::decompose(Inputs inputs) const {
  const SplitError error(inputs, beta_);
  return {reduced_loss(error.inside * error.inside * (0.5 / beta_) + error.beyond, reduction())};
}

Tensor l1_loss(const Tensor& predictions, const Tensor& targets, LossReduction reduction) {
  return apply_one(L1Loss(reduction), predictions, targets);
}

Tensor huber_loss(const Tensor& predictions, const Tensor& targets, const HuberLossOptions& options) {
  check_loss_option(HuberLoss::kName, "delta", options.delta, true);
  return apply_one(HuberLoss(options.delta, options.reduction), predictions, targets);
}

Tensor smooth_l1_loss(const Tensor& predictions, const Tensor& targets, const SmoothL1LossOptions& options) {
  check_loss_option(SmoothL1Loss::kName, "beta", options.beta);
  if (options.beta == 0) return l1_loss(predictions, targets, options.reduction);
  return apply_one(SmoothL1Loss(options.beta, options.reduction), predictions, targets);
}

}  // namespace espalier
