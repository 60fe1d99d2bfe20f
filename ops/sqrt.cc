#include "ops/sqrt.h"

#include "ops/divide.h"
#include "ops/elementwise_internal.h"
#include "ops/multiply.h"

namespace espalier {

Tensors Sqrt::backward(const BackwardContext& context) const {
  return {context.gradient(0) / (context.output(0) * 2)};
}

Tensor sqrt(const Tensor& x) {
  return apply_elementwise<Sqrt>(x);
}

}  // namespace espalier
