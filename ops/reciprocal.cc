#include "ops/reciprocal.h"

#include "ops/elementwise_internal.h"
#include "ops/multiply.h"
#include "ops/negate.h"

namespace espalier {

Tensors Reciprocal::backward(const BackwardContext& context) const {
  const Tensor& y = context.output(0);
  return {context.gradient(0) * -square(y)};
}

Tensors Rsqrt::backward(const BackwardContext& context) const {
  const Tensor& y = context.output(0);
  return {context.gradient(0) * (square(y) * y * -0.5)};
}

Tensor reciprocal(const Tensor& x) {
  return apply_elementwise<Reciprocal>(x);
}

Tensor rsqrt(const Tensor& x) {
  return apply_elementwise<Rsqrt>(x);
}

}  // namespace espalier
