#include "ops/abs.h"

#include "ops/elementwise_internal.h"

namespace espalier {

Tensors Abs::backward(const BackwardContext& context) const {
  return {apply_one(AbsBackward(), context.gradient(0), context.input(0))};
}

// Linear in g; constant in x but where x crosses 0.
Tensors AbsBackward::backward(const BackwardContext& context) const {
  return {context.wants(0) ? apply_one(AbsBackward(), context.gradient(0), context.input(1)) : Tensor(),
          Tensor()};
}

Tensor abs(const Tensor& x) {
  return apply_elementwise<Abs>(x);
}

}  // namespace espalier
