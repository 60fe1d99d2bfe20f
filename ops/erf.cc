#include "ops/erf.h"

#include <numbers>

#include "ops/elementwise_internal.h"
#include "ops/exp.h"
#include "ops/multiply.h"
#include "ops/negate.h"

namespace espalier {

Tensors Erf::backward(const BackwardContext& context) const {
  // 2 / sqrt(pi) e^(-x^2)
  return {context.gradient(0) * (exp(-square(context.input(0))) * (2 * std::numbers::inv_sqrtpi))};
}

Tensor erf(const Tensor& x) {
  return apply_elementwise<Erf>(x);
}

}  // namespace espalier
