#include "ops/relu.h"

#include "ops/elementwise_internal.h"

namespace espalier {

Tensors Relu::backward(const BackwardContext& context) const {
  return {apply_one(ReluBackward(), context.gradient(0), context.output(0))};
}

// Linear in g; constant in y but where y crosses 0.
Tensors ReluBackward::backward(const BackwardContext& context) const {
  return {context.wants(0) ? apply_one(ReluBackward(), context.gradient(0), context.input(1)) : Tensor(),
          Tensor()};
}

Tensors LeakyRelu::backward(const BackwardContext& context) const {
  return {apply_one(LeakyReluBackward(slope_), context.gradient(0), context.input(0))};
}

Tensors LeakyReluBackward::backward(const BackwardContext& context) const {
  return {context.wants(0) ? apply_one(*this, context.gradient(0), context.input(1)) : Tensor(), Tensor()};
}

Tensor relu(const Tensor& x) {
  return apply_elementwise<Relu>(x);
}

Tensor leaky_relu(const Tensor& x, double slope) {
  return apply_one(LeakyRelu(slope), promoted_to_floating(LeakyRelu::kName, x));
}

}  // namespace espalier
