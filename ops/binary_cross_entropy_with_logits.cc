#include "ops/binary_cross_entropy_with_logits.h"

#include "ops/add.h"
#include "ops/exp.h"
#include "ops/log.h"
#include "ops/loss_internal.h"
#include "ops/multiply.h"
#include "ops/negate.h"
#include "ops/relu.h"
#include "ops/subtract.h"
#include "ops/sum.h"

namespace espalier {
namespace {

/// log(1 + e^x), from simple operations.
Tensor log_one_plus_exp(const Tensor& x) {
  const Tensor positive = relu(x);
  return positive + log(1 + exp(x - 2 * positive));  // x - 2 max(x, 0) = -|x|
}

}  // namespace

Tensors BinaryCrossEntropyWithLogits::backward(const BackwardContext& context) const {
  const Tensor &x = context.input(0), &y = context.input(1), &gradient = context.gradient(0);
  const bool weighted = context.input_count() == 3;
  Tensors gradients(static_cast<size_t>(context.input_count()));
  if (context.wants(0) && !weighted) {
    gradients[0] = apply_one(BinaryCrossEntropyWithLogitsBackward(reduction()), gradient, x, y);
  } else if (context.wants(0) && reduction() != LossReduction::none) {
    gradients[0] =
        apply_one(BinaryCrossEntropyWithLogitsBackward(reduction()), gradient, x, y, context.input(2));
  } else if (context.wants(0)) {
    const BinaryCrossEntropyWithLogitsBackward slope(LossReduction::sum);
    gradients[0] = apply_one(slope, ones({}, x.dtype(), x.device()), x, y, context.input(2)) * gradient;
  }
  const auto each = [&] { return term_gradient(gradient, reduction(), x.numel()); };
  if (context.wants(1) && weighted) {
    gradients[1] = (context.input(2) * log_one_plus_exp(-x) - log_one_plus_exp(x)) * each();
  } else if (context.wants(1)) {
    gradients[1] = -x * each();
  }
  if (weighted && context.wants(2))
    gradients[2] = sum_to(y * log_one_plus_exp(-x) * each(), context.input_shape(2));
  return gradients;
}

Tensors BinaryCrossEntropyWithLogits::decompose(Inputs inputs) const {
  const Tensor &x = inputs[0], &y = inputs[1];
  const Tensor of_ones = inputs.size() == 3 ? y * inputs[2] : y;
  return {reduced_loss((1 - y) * log_one_plus_exp(x) + of_ones * log_one_plus_exp(-x), reduction())};
}

Tensor binary_cross_entropy_with_logits(const Tensor& logits, const Tensor& targets,
                                        const BinaryCrossEntropyWithLogitsOptions& options) {
  const bool weighted = options.weight.defined();
  const BinaryCrossEntropyWithLogits loss(weighted ? LossReduction::none : options.reduction);
  Tensor terms = options.pos_weight.defined() ? apply_one(loss, logits, targets, options.pos_weight)
                                              : apply_one(loss, logits, targets);
  if (!weighted) return terms;
  return weighted_loss(BinaryCrossEntropyWithLogits::kName, terms, options.weight, options.reduction);
}

}  // namespace espalier
