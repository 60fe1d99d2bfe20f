#include "ops/softplus.h"

#include "ops/elementwise_internal.h"
#include "ops/multiply.h"
#include "ops/negate.h"
#include "ops/sigmoid.h"
#include "ops/subtract.h"

namespace espalier {

Softplus::Softplus(double beta, double threshold) : beta_(beta), threshold_(threshold) {
  if (beta == 0) throw ValueError(kName, "beta is 0, by which the logarithm is divided");
}

Tensors Softplus::backward(const BackwardContext& context) const {
  return {apply_one(SoftplusBackward(beta_, threshold_), context.gradient(0), context.input(0))};
}

Tensors SoftplusBackward::backward(const BackwardContext& context) const {
  const Tensor& gradient = context.gradient(0);
  const Tensor& x = context.input(1);
  Tensors gradients(2);
  if (context.wants(0)) gradients[0] = apply_one(*this, gradient, x);
  if (context.wants(1)) {
    // s' = beta (s - s^2), which is 0 beyond the threshold, where s = 1.
    const Tensor once = apply_one(*this, gradient * context.input(0), x);
    gradients[1] = (once - apply_one(*this, once, x)) * beta_;
  }
  return gradients;
}

Tensors LogSigmoid::backward(const BackwardContext& context) const {
  return {apply_one(LogSigmoidBackward(), context.gradient(0), context.input(0))};
}

Tensors LogSigmoidBackward::backward(const BackwardContext& context) const {
  const Tensor& gradient = context.gradient(0);
  const Tensor& x = context.input(1);
  Tensors gradients(2);
  if (context.wants(0)) gradients[0] = apply_one(*this, gradient, x);
  if (context.wants(1))  // sigmoid(-x) = 1 - sigmoid(x)
    gradients[1] = -apply_one(SigmoidBackward(), gradient * context.input(0), sigmoid(x));
  return gradients;
}

Tensor softplus(const Tensor& x, double beta, double threshold) {
  return apply_one(Softplus(beta, threshold), promoted_to_floating(Softplus::kName, x));
}

Tensor log_sigmoid(const Tensor& x) {
  return apply_elementwise<LogSigmoid>(x);
}

}  // namespace espalier
