#include "ops/sigmoid.h"

#include <string>

#include "ops/elementwise_internal.h"
#include "ops/multiply.h"
#include "ops/slice.h"
#include "ops/subtract.h"

namespace espalier {

Tensors Sigmoid::backward(const BackwardContext& context) const {
  return {apply_one(SigmoidBackward(), context.gradient(0), context.output(0))};
}

Tensors SigmoidBackward::backward(const BackwardContext& context) const {
  const Tensor& g = context.input(0);
  const Tensor& y = context.input(1);
  const Tensor& gradient = context.gradient(0);
  return {context.wants(0) ? apply_one(SigmoidBackward(), gradient, y) : Tensor(),
          context.wants(1) ? gradient * g * (1 - y * 2) : Tensor()};
}

Tensor sigmoid(const Tensor& x) {
  return apply_elementwise<Sigmoid>(x);
}

Tensor glu(const Tensor& x, int64_t axis) {
  check_defined("glu", x);
  const int at = normalize_axis(axis, x.rank(), "glu");
  const int64_t size = x.shape()[at];
  if (size % 2 != 0)
    throw ShapeError("glu", describe(x) + ": the size along axis " + std::to_string(axis) + " must be even");
  return slice(x, at, {.stop = size / 2}) * sigmoid(slice(x, at, {.start = size / 2}));
}

}  // namespace espalier
