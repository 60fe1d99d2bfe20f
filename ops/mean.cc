#include "ops/mean.h"

#include "ops/cast.h"
#include "ops/divide.h"
#include "ops/expand.h"
#include "ops/promotion.h"

namespace espalier {

void Mean::infer(Inputs inputs, OutputSpecs& outputs) const {
  check_reducible(inputs, true);
  outputs.push_back(reduced_spec(inputs[0], inputs[0].dtype()));
}

int64_t Mean::elements(const Shape& shape) const {
  int64_t n = 1;
  for (int64_t axis : reduced_axes(shape.rank())) n *= shape[static_cast<int>(axis)];
  return n;
}

Tensors Mean::backward(const BackwardContext& context) const {
  const Shape& shape = context.input_shape(0);
  const Tensor& gradient = context.gradient(0);
  // The narrow types cannot hold large counts.
  const Tensor wide = cast(gradient, accumulation_type(gradient.dtype()));
  const Tensor share = cast(wide / static_cast<double>(elements(shape)), gradient.dtype());
  return {expand(with_kept_axes(share, shape), shape)};
}

Tensor mean(const Tensor& input, const Dims& axes, bool keepdim) {
  return apply_one(Mean(axes, keepdim), input);
}

}  // namespace espalier
