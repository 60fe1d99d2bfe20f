#include "ops/exp.h"

#include <numbers>

#include "ops/add.h"
#include "ops/elementwise_internal.h"
#include "ops/multiply.h"

namespace espalier {

Tensors Exp::backward(const BackwardContext& context) const {
  return {context.gradient(0) * context.output(0)};
}

Tensors Exp2::backward(const BackwardContext& context) const {
  return {context.gradient(0) * context.output(0) * std::numbers::ln2};
}

Tensors Expm1::backward(const BackwardContext& context) const {
  return {context.gradient(0) * (context.output(0) + 1)};
}

Tensor exp(const Tensor& x) {
  return apply_elementwise<Exp>(x);
}

Tensor exp2(const Tensor& x) {
  return apply_elementwise<Exp2>(x);
}

Tensor expm1(const Tensor& x) {
  return apply_elementwise<Expm1>(x);
}

}  // namespace espalier
