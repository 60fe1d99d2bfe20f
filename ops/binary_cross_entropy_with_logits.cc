#include "ops/binary_cross_entropy_with_logits.h"

#include "ops/add.h"
#include "ops/exp.h"
#include "ops/log.h"
#include "ops/mean.h"
#include "ops/multiply.h"
#include "ops/relu.h"
#include "ops/subtract.h"

namespace espalier {

Tensors BinaryCrossEntropyWithLogits::backward(const BackwardContext& context) const {
  const Tensor& x = context.input(0);
  Tensors gradients(2);
  if (context.wants(0))
    gradients[0] =
        apply_one(BinaryCrossEntropyWithLogitsBackward(), context.gradient(0), x, context.input(1));
  if (context.wants(1)) gradients[1] = x * (context.gradient(0) * (-1 / static_cast<double>(x.numel())));
  return gradients;
}

Tensors BinaryCrossEntropyWithLogits::decompose(Inputs inputs) const {
  const Tensor &x = inputs[0], &y = inputs[1];
  const Tensor positive = relu(x);
  const Tensor magnitude = 2 * positive - x;
  return {mean(positive - x * y + log(1 + exp(-1 * magnitude)))};
}

Tensor binary_cross_entropy_with_logits(const Tensor& logits, const Tensor& targets) {
  return apply_one(BinaryCrossEntropyWithLogits(), logits, targets);
}

}  // namespace espalier
