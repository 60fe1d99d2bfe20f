#include "ops/exp.h"

#include "ops/elementwise_internal.h"
#include "ops/multiply.h"

namespace espalier {

Tensors Exp::backward(const BackwardContext& context) const {
  return {context.gradient(0) * context.output(0)};
}

Tensor exp(const Tensor& x) {
  return apply_elementwise<Exp>(x);
}

}  // namespace espalier
