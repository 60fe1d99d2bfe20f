#include "ops/vector_norm.h"

#include <cmath>
#include <string>

#include "ops/abs.h"
#include "ops/add.h"
#include "ops/cast.h"
#include "ops/divide.h"
#include "ops/equal.h"
#include "ops/exp.h"
#include "ops/log.h"
#include "ops/multiply.h"
#include "ops/promotion.h"
#include "ops/subtract.h"
#include "ops/sum.h"

namespace espalier {

void VectorNorm::infer(Inputs inputs, OutputSpecs& outputs) const {
  check_reducible(inputs, true);
  if (std::isnan(order_)) throw ValueError(kName, "order is NaN for " + describe(inputs));
  if (!(floor_ >= 0)) {
    throw ValueError(kName, "the smallest norm is " + std::to_string(floor_) + " for " + describe(inputs) +
                                "; expected at least 0");
  }
  if (order_ < 0 || std::isinf(order_)) check_has_elements(inputs[0]);
  outputs.push_back(reduced_spec(inputs[0], inputs[0].dtype()));
}

// For order p the gradient is sign(x) (|x| / norm)^(p - 1): the quotient, in place of a quotient of powers,
// does not overflow. Zeros are replaced by ones where they would be divided by, and what comes out by 0.
Tensors VectorNorm::backward(const BackwardContext& context) const {
  if (order_ == 0) return {Tensor()};
  const Tensor& x = context.input(0);
  const Dtype dtype = x.dtype();
  const Tensor norm = with_kept_axes(context.output(0), x.shape());
  const Tensor at_floor = cast(equal(norm, floor_), dtype);
  const Tensor gradient = with_kept_axes(context.gradient(0), x.shape()) * (1 - at_floor);
  const Tensor divisor = norm + at_floor;
  if (order_ == 2) return {x * (gradient / divisor)};
  const Tensor magnitude = abs(x);
  const Tensor nonzero = magnitude + cast(equal(x, 0), dtype);
  const Tensor sign = x / nonzero;
  if (order_ == 1) return {gradient * sign};
  if (std::isinf(order_)) {
    const Tensor chosen = equal(magnitude, norm);
    const Tensor ties = sum(chosen, reduced_axes(x.rank()), true);
    // The narrow types cannot hold large counts; 0 ties there are where the norm is the floor.
    const Tensor wide = cast(gradient, accumulation_type(dtype));
    const Tensor share = cast(wide / (ties + equal(ties, 0)), dtype);
    return {share * chosen * sign};
  }
  return {gradient * sign * exp((order_ - 1) * log(nonzero / divisor))};
}

Cost VectorNorm::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  Cost cost = Reduction::cost(inputs, outputs);
  cost.flops = 2 * inputs[0].numel();
  return cost;
}

Tensor vector_norm(const Tensor& x, double order, const Dims& axes, bool keepdim) {
  return apply_one(VectorNorm(order, axes, keepdim), x);
}

Tensor normalise(const Tensor& x, const Dims& axes, double order, double epsilon) {
  return x / apply_one(VectorNorm(order, axes, true, epsilon), x);
}

}  // namespace espalier
