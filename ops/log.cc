#include "ops/log.h"

#include "ops/divide.h"
#include "ops/elementwise_internal.h"

namespace espalier {

Tensors Log::backward(const BackwardContext& context) const {
  return {context.gradient(0) / context.input(0)};
}

Tensor log(const Tensor& x) {
  return apply_elementwise<Log>(x);
}

}  // namespace espalier
