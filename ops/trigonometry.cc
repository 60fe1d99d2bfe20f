#include "ops/trigonometry.h"

#include "ops/add.h"
#include "ops/elementwise_internal.h"
#include "ops/multiply.h"
#include "ops/negate.h"

namespace espalier {

Tensors Sin::backward(const BackwardContext& context) const {
  return {context.gradient(0) * cos(context.input(0))};
}

Tensors Cos::backward(const BackwardContext& context) const {
  return {-context.gradient(0) * sin(context.input(0))};
}

Tensors Tan::backward(const BackwardContext& context) const {
  return {context.gradient(0) * (square(context.output(0)) + 1)};
}

Tensor sin(const Tensor& x) {
  return apply_elementwise<Sin>(x);
}

Tensor cos(const Tensor& x) {
  return apply_elementwise<Cos>(x);
}

Tensor tan(const Tensor& x) {
  return apply_elementwise<Tan>(x);
}

}  // namespace espalier
