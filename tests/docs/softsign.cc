#include "tests/docs/softsign.h"

#include "ops/abs.h"
#include "ops/elementwise_internal.h"
#include "ops/multiply.h"
#include "ops/subtract.h"

namespace espalier {

// y' = 1 / (1 + |x|)^2 = (1 - |y|)^2: the output is enough, so that the input need not be kept.
Tensors Softsign::backward(const BackwardContext& context) const {
  const Tensor rest = 1 - abs(context.output(0));
  return {context.gradient(0) * rest * rest};
}

Tensor softsign(const Tensor& x) {
  return apply_elementwise<Softsign>(x);
}

}  // namespace espalier
