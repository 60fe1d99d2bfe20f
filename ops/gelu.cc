#include "ops/gelu.h"

#include <cmath>
#include <numbers>

#include "ops/add.h"
#include "ops/elementwise_internal.h"
#include "ops/multiply.h"
#include "ops/tanh.h"

namespace espalier {

Tensors Gelu::backward(const BackwardContext& context) const {
  return {apply_one(GeluBackward(), context.gradient(0), context.input(0))};
}

Tensors Gelu::decompose(Inputs inputs) const {
  const Tensor& x = inputs[0];
  const double k = std::sqrt(2 / std::numbers::pi);
  return {x * 0.5 * (1 + tanh((x + x * x * x * 0.044715) * k))};
}

Tensor gelu(const Tensor& x) {
  return apply_elementwise<Gelu>(x);
}

}  // namespace espalier
