#include "ops/compare.h"

#include "ops/elementwise_internal.h"

namespace espalier {

Tensor equal(const Tensor& a, const Tensor& b) {
  return apply_elementwise<Equal>(a, b);
}
Tensor equal(const Tensor& a, Scalar b) {
  return apply_elementwise<Equal>(a, b);
}

Tensor not_equal(const Tensor& a, const Tensor& b) {
  return apply_elementwise<NotEqual>(a, b);
}
Tensor not_equal(const Tensor& a, Scalar b) {
  return apply_elementwise<NotEqual>(a, b);
}

Tensor less(const Tensor& a, const Tensor& b) {
  return apply_elementwise<Less>(a, b);
}
Tensor less(const Tensor& a, Scalar b) {
  return apply_elementwise<Less>(a, b);
}
Tensor less(Scalar a, const Tensor& b) {
  return apply_elementwise<Less>(a, b);
}

Tensor less_equal(const Tensor& a, const Tensor& b) {
  return apply_elementwise<LessEqual>(a, b);
}
Tensor less_equal(const Tensor& a, Scalar b) {
  return apply_elementwise<LessEqual>(a, b);
}
Tensor less_equal(Scalar a, const Tensor& b) {
  return apply_elementwise<LessEqual>(a, b);
}

Tensor greater(const Tensor& a, const Tensor& b) {
  return less(b, a);
}
Tensor greater(const Tensor& a, Scalar b) {
  return less(b, a);
}

Tensor greater_equal(const Tensor& a, const Tensor& b) {
  return less_equal(b, a);
}
Tensor greater_equal(const Tensor& a, Scalar b) {
  return less_equal(b, a);
}

}  // namespace espalier
