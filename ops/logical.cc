#include "ops/logical.h"

#include "ops/cast.h"
#include "ops/compare.h"

namespace espalier {
namespace {

template <class Op>
Tensor truth(const Tensor& x) {
  check_defined(Op::kName, x);
  if (x.dtype() == Dtype::boolean) return x;
  return x.dtype() >= Dtype::u16 ? cast(x, Dtype::boolean) : not_equal(x, false);
}

template <class Op>
Tensor apply_logical(const Tensor& a, const Tensor& b) {
  return apply_one(Op(), truth<Op>(a), truth<Op>(b));
}

}  // namespace

Tensor logical_and(const Tensor& a, const Tensor& b) {
  return apply_logical<LogicalAnd>(a, b);
}
Tensor logical_or(const Tensor& a, const Tensor& b) {
  return apply_logical<LogicalOr>(a, b);
}
Tensor logical_xor(const Tensor& a, const Tensor& b) {
  return apply_logical<LogicalXor>(a, b);
}
Tensor logical_not(const Tensor& x) {
  return apply_one(LogicalNot(), truth<LogicalNot>(x));
}

}  // namespace espalier
