#include "ops/silu.h"

#include "ops/elementwise_internal.h"
#include "ops/multiply.h"
#include "ops/sigmoid.h"
#include "ops/softplus.h"
#include "ops/tanh.h"

namespace espalier {

Tensors Silu::backward(const BackwardContext& context) const {
  return {apply_one(SiluBackward(), context.gradient(0), context.input(0))};
}

Tensors Silu::decompose(Inputs inputs) const {
  return {inputs[0] * sigmoid(inputs[0])};
}

Tensors Mish::backward(const BackwardContext& context) const {
  return {apply_one(MishBackward(), context.gradient(0), context.input(0))};
}

Tensors Mish::decompose(Inputs inputs) const {
  return {inputs[0] * tanh(softplus(inputs[0]))};
}

Tensor silu(const Tensor& x) {
  return apply_elementwise<Silu>(x);
}

Tensor mish(const Tensor& x) {
  return apply_elementwise<Mish>(x);
}

}  // namespace espalier
