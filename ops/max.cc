#include "ops/max.h"

#include "ops/cast.h"
#include "ops/divide.h"
#include "ops/equal.h"
#include "ops/multiply.h"
#include "ops/promotion.h"
#include "ops/sum.h"

namespace espalier {

void Extremum::infer(Inputs inputs, OutputSpecs& outputs) const {
  check_reducible(inputs);
  check_has_elements(inputs[0]);
  outputs.push_back(reduced_spec(inputs[0], inputs[0].dtype()));
}

Tensors Extremum::backward(const BackwardContext& context) const {
  const Shape& shape = context.input_shape(0);
  const Tensor& gradient = context.gradient(0);
  const Tensor chosen = equal(context.input(0), with_kept_axes(context.output(0), shape));
  const Tensor ties = sum(chosen, reduced_axes(shape.rank()), true);
  // The narrow types cannot hold large counts.
  const Tensor wide = cast(with_kept_axes(gradient, shape), accumulation_type(gradient.dtype()));
  return {cast(wide / ties, gradient.dtype()) * chosen};
}

Tensor max(const Tensor& input, const Dims& axes, bool keepdim) {
  return apply_one(Max(axes, keepdim), input);
}

Tensor min(const Tensor& input, const Dims& axes, bool keepdim) {
  return apply_one(Min(axes, keepdim), input);
}

}  // namespace espalier
