#include "ops/add.h"

#include "ops/elementwise_internal.h"

namespace espalier {

Tensors Add::backward(const BackwardContext& context) const {
  const auto gradient = [&] { return context.gradient(0); };
  return {input_gradient(context, 0, gradient), input_gradient(context, 1, gradient)};
}

Tensor add(const Tensor& a, const Tensor& b) {
  return apply_elementwise<Add>(a, b);
}

Tensor add(const Tensor& a, Scalar b) {
  return apply_elementwise<Add>(a, b);
}

}  // namespace espalier
