#include "ops/mse_loss.h"

#include "ops/loss_internal.h"
#include "ops/multiply.h"
#include "ops/subtract.h"

namespace espalier {

Tensors MseLoss::backward(const BackwardContext& context) const {
  return symmetric_loss_gradients(context, MseLossBackward(reduction()));
}

Tensors MseLoss::decompose(Inputs inputs) const {
  const Tensor error = inputs[0] - inputs[1];
  return {reduced_loss(error * error, reduction())};
}

Tensor mse_loss(const Tensor& predictions, const Tensor& targets, LossReduction reduction) {
  return apply_one(MseLoss(reduction), predictions, targets);
}

}  // namespace espalier
