#include "ops/binary_cross_entropy.h"

#include "ops/add.h"
#include "ops/log.h"
#include "ops/mean.h"
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
  const Tensor& p = context.input(0);
  Tensors gradients(2);
  if (context.wants(0))
    gradients[0] = apply_one(BinaryCrossEntropyBackward(), context.gradient(0), p, context.input(1));
  if (context.wants(1)) {
    const double scale = 1 / static_cast<double>(p.numel());
    gradients[1] = (safe_log(1 - p) - safe_log(p)) * (context.gradient(0) * scale);
  }
  return gradients;
}

Tensors BinaryCrossEntropy::decompose(Inputs inputs) const {
  const Tensor &p = inputs[0], &y = inputs[1];
  return {-mean(y * safe_log(p) + (1 - y) * safe_log(1 - p))};
}

Tensor binary_cross_entropy(const Tensor& probabilities, const Tensor& targets) {
  return apply_one(BinaryCrossEntropy(), probabilities, targets);
}

}  // namespace espalier
