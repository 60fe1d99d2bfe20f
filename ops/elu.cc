#include "ops/elu.h"

#include "ops/elementwise_internal.h"
#include "ops/multiply.h"

namespace espalier {

Tensors Elu::backward(const BackwardContext& context) const {
  const EluBackward slope(scale_, scale_ * alpha_ * rate_, rate_);
  return {apply_one(slope, context.gradient(0), context.input(0))};
}

Tensors EluBackward::backward(const BackwardContext& context) const {
  const Tensor& gradient = context.gradient(0);
  const Tensor& x = context.input(1);
  const EluBackward slope(0, below_ * rate_, rate_);
  return {context.wants(0) ? apply_one(*this, gradient, x) : Tensor(),
          context.wants(1) ? apply_one(slope, gradient * context.input(0), x) : Tensor()};
}

Tensor elu(const Tensor& x, double alpha) {
  return apply_one(Elu(alpha), promoted_to_floating(Elu::kName, x));
}

Tensor celu(const Tensor& x, double alpha) {
  if (alpha == 0) throw ValueError("celu", "alpha is 0, by which x is divided");
  return apply_one(Elu(alpha, 1, 1 / alpha), promoted_to_floating("celu", x));
}

Tensor selu(const Tensor& x) {
  // The fixed point of the paper, to double precision (its appendix A4.4).
  return apply_one(Elu(1.6732632423543772848, 1.0507009873554804934), promoted_to_floating("selu", x));
}

}  // namespace espalier
