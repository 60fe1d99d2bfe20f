#include "ops/negate.h"

#include "ops/elementwise_internal.h"

namespace espalier {

Tensors Negate::backward(const BackwardContext& context) const {
  return {negate(context.gradient(0))};
}

Tensor negate(const Tensor& x) {
  return apply_elementwise<Negate>(x);
}

}  // namespace espalier
