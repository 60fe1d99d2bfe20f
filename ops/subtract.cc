#include "ops/subtract.h"

#include "ops/elementwise_internal.h"
#include "ops/negate.h"

namespace espalier {

Tensors Subtract::backward(const BackwardContext& context) const {
  const Tensor& gradient = context.gradient(0);
  return {input_gradient(context, 0, [&] { return gradient; }),
          context.wants(1) ? negate(sum_to(gradient, context.input_shape(1))) : Tensor()};
}

Tensor subtract(const Tensor& a, const Tensor& b) {
  return apply_elementwise<Subtract>(a, b);
}

Tensor subtract(const Tensor& a, Scalar b) {
  return apply_elementwise<Subtract>(a, b);
}

Tensor subtract(Scalar a, const Tensor& b) {
  return apply_elementwise<Subtract>(a, b);
}

}  // namespace espalier
