#include "ops/isfinite.h"

#include "ops/elementwise_internal.h"

namespace espalier {

Tensor isfinite(const Tensor& x) {
  return apply_elementwise<IsFinite>(x);
}

Tensor isinf(const Tensor& x) {
  return apply_elementwise<IsInf>(x);
}

Tensor isnan(const Tensor& x) {
  return apply_elementwise<IsNan>(x);
}

}  // namespace espalier
