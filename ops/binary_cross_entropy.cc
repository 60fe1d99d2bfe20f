#include "ops/binary_cross_entropy.h"

#include "ops/add.h"
#include "ops/log.h"
#include "ops/loss_internal.h"
#include "ops/multiply.h"
#include "ops/negate.h"
#include "ops/relu.h"
#include "ops/subtract.h"

namespace espalier {
namespace {

/// log(max(x, 1e-12)): finite at 0, and so is its derivative.
Tensor safe_log(const Tensor& x) {
  constexpr double kLeast = 1e-12;
  return log(relu(x - kLeast) + kLeast);
}

}  // namespace

Tensors BinaryCrossEntropy::backward(const BackwardContext& context) const {
  const Tensor &p = context.input(0), &gradient = context.gradient(0);
  Tensors gradients(2);
  if (context.wants(0))
    gradients[0] = apply_one(BinaryCrossEntropyBackward(reduction()), gradient, p, context.input(1));
  if (context.wants(1))
    gradients[1] = (safe_log(1 - p) - safe_log(p)) * term_gradient(gradient, reduction(), p.numel());
  return gradients;
}

Tensors BinaryCrossEntropy::decompose(Inputs inputs) const {
  const Tensor &p = inputs[0], &y = inputs[1];
  return {reduced_loss(-(y * safe_log(p) + (1 - y) * safe_log(1 - p)), reduction())};
}

Tensor binary_cross_entropy(const Tensor& probabilities, const Tensor& targets,
                            const BinaryCrossEntropyOptions& options) {
  if (!options.weight.defined())
    return apply_one(BinaryCrossEntropy(options.reduction), probabilities, targets);
  const Tensor terms = apply_one(BinaryCrossEntropy(LossReduction::none), probabilities, targets);
  return weighted_loss(BinaryCrossEntropy::kName, terms, options.weight, options.reduction);
}

}  // namespace espalier
