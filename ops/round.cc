#include "ops/round.h"

#include "ops/elementwise_internal.h"

namespace espalier {

Tensor floor(const Tensor& x) {
  return apply_elementwise<Floor>(x);
}

Tensor ceil(const Tensor& x) {
  return apply_elementwise<Ceil>(x);
}

Tensor round(const Tensor& x) {
  return apply_elementwise<Round>(x);
}

Tensor trunc(const Tensor& x) {
  return apply_elementwise<Trunc>(x);
}

Tensor sign(const Tensor& x) {
  return apply_elementwise<Sign>(x);
}

}  // namespace espalier
