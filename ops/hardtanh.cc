#include "ops/hardtanh.h"

#include <sstream>

#include "ops/elementwise_internal.h"
#include "ops/multiply.h"

namespace espalier {

Hardtanh::Hardtanh(double low, double high) : low_(low), high_(high) {
  if (low <= high) return;
  std::ostringstream message;
  message << "the lower bound, " << low << ", must not exceed the upper one, " << high;
  throw ValueError(kName, message.str());
}

Tensors Hardtanh::backward(const BackwardContext& context) const {
  return {apply_one(HardtanhBackward(low_, high_), context.gradient(0), context.input(0))};
}

// Linear in g; constant in x but where it crosses a bound.
Tensors HardtanhBackward::backward(const BackwardContext& context) const {
  return {context.wants(0) ? apply_one(*this, context.gradient(0), context.input(1)) : Tensor(), Tensor()};
}

Tensors Hardsigmoid::backward(const BackwardContext& context) const {
  return {apply_one(HardtanhBackward(-3, 3, 1.0 / 6), context.gradient(0), context.input(0))};
}

Tensors Hardswish::backward(const BackwardContext& context) const {
  return {apply_one(HardswishBackward(), context.gradient(0), context.input(0))};
}

Tensors HardswishBackward::backward(const BackwardContext& context) const {
  const Tensor& gradient = context.gradient(0);
  const Tensor& x = context.input(1);
  return {context.wants(0) ? apply_one(HardswishBackward(), gradient, x) : Tensor(),
          context.wants(1) ? apply_one(HardtanhBackward(-3, 3, 1.0 / 3), gradient * context.input(0), x)
                           : Tensor()};
}

Tensor hardtanh(const Tensor& x, double low, double high) {
  return apply_one(Hardtanh(low, high), promoted_to_floating(Hardtanh::kName, x));
}

Tensor relu6(const Tensor& x) {
  return apply_one(Hardtanh(0, 6), promoted_to_floating("relu6", x));
}

Tensor hardsigmoid(const Tensor& x) {
  return apply_elementwise<Hardsigmoid>(x);
}

Tensor hardswish(const Tensor& x) {
  return apply_elementwise<Hardswish>(x);
}

}  // namespace espalier
