#include "ops/tanh.h"

#include "ops/elementwise_internal.h"
#include "ops/multiply.h"

namespace espalier {

Tensors Tanh::backward(const BackwardContext& context) const {
  return {apply_one(TanhBackward(), context.gradient(0), context.output(0))};
}

Tensors TanhBackward::backward(const BackwardContext& context) const {
  const Tensor& g = context.input(0);
  const Tensor& y = context.input(1);
  const Tensor& gradient = context.gradient(0);
  return {context.wants(0) ? apply_one(TanhBackward(), gradient, y) : Tensor(),
          context.wants(1) ? gradient * g * y * -2 : Tensor()};
}

Tensor tanh(const Tensor& x) {
  return apply_elementwise<Tanh>(x);
}

}  // namespace espalier
