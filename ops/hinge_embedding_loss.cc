#include "ops/hinge_embedding_loss.h"

#include <cmath>
#include <string>

#include "ops/add.h"
#include "ops/cast.h"
#include "ops/equal.h"
#include "ops/loss_internal.h"
#include "ops/multiply.h"
#include "ops/relu.h"
#include "ops/subtract.h"

namespace espalier {

Tensors HingeEmbeddingLoss::backward(const BackwardContext& context) const {
  return {apply_one(HingeEmbeddingLossBackward(margin_, reduction()), context.gradient(0), context.input(0),
                    context.input(1)),
          Tensor()};
}

Tensors HingeEmbeddingLoss::decompose(Inputs inputs) const {
  const Tensor& x = inputs[0];
  const Tensor together = cast(equal(inputs[1], 1), x.dtype());
  return {reduced_loss(together * x + (1 - together) * relu(margin_ - x), reduction())};
}

Tensor hinge_embedding_loss(const Tensor& distances, const Tensor& targets,
                            const MarginLossOptions& options) {
  check_margin(HingeEmbeddingLoss::kName, options.margin);
  return apply_one(HingeEmbeddingLoss(options.margin, options.reduction), distances, targets);
}

}  // namespace espalier
