#include "ops/multiply.h"

#include "ops/elementwise_internal.h"

namespace espalier {

Tensors Multiply::backward(const BackwardContext& context) const {
  const Tensor& gradient = context.gradient(0);
  return {input_gradient(context, 0, [&] { return gradient * context.input(1); }),
          input_gradient(context, 1, [&] { return gradient * context.input(0); })};
}

Tensor multiply(const Tensor& a, const Tensor& b) {
  return apply_elementwise<Multiply>(a, b);
}

Tensor multiply(const Tensor& a, Scalar b) {
  return apply_elementwise<Multiply>(a, b);
}

}  // namespace espalier
