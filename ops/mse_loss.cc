#include "ops/mse_loss.h"

#include "ops/mean.h"
#include "ops/multiply.h"
#include "ops/subtract.h"

namespace espalier {

Tensors MseLoss::backward(const BackwardContext& context) const {
  Tensors gradients(2);
  for (const int i : {0, 1}) {  // the loss is symmetric
    if (!context.wants(i)) continue;
    gradients[static_cast<size_t>(i)] =
        apply_one(MseLossBackward(), context.gradient(0), context.input(i), context.input(1 - i));
  }
  return gradients;
}

Tensors MseLoss::decompose(Inputs inputs) const {
  const Tensor error = inputs[0] - inputs[1];
  return {mean(error * error)};
}

Tensor mse_loss(const Tensor& predictions, const Tensor& targets) {
  return apply_one(MseLoss(), predictions, targets);
}

}  // namespace espalier
