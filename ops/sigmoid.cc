#include "ops/sigmoid.h"

#include "ops/elementwise_internal.h"
#include "ops/multiply.h"
#include "ops/subtract.h"

namespace espalier {

Tensors Sigmoid::backward(const BackwardContext& context) const {
  return {apply_one(SigmoidBackward(), context.gradient(0), context.output(0))};
}

Tensors SigmoidBackward::backward(const BackwardContext& context) const {
  const Tensor& g = context.input(0);
  const Tensor& y = context.input(1);
  const Tensor& gradient = context.gradient(0);
  return {context.wants(0) ? apply_one(SigmoidBackward(), gradient, y) : Tensor(),
          context.wants(1) ? gradient * g * (1 - y * 2) : Tensor()};
}

Tensor sigmoid(const Tensor& x) {
  return apply_elementwise<Sigmoid>(x);
}

}  // namespace espalier
