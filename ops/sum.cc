#include "ops/sum.h"

#include "ops/expand.h"
#include "ops/reshape.h"

namespace espalier {

void Sum::infer(Inputs inputs, OutputSpecs& outputs) const {
  check_reducible(inputs);
  const Dtype dtype = inputs[0].dtype();
  outputs.push_back(reduced_spec(inputs[0], is_floating(dtype) ? dtype : Dtype::i64));
}

Tensors Sum::backward(const BackwardContext& context) const {
  const Shape& shape = context.input_shape(0);
  return {expand(with_kept_axes(context.gradient(0), shape), shape)};
}

Tensor sum(const Tensor& input, const Dims& axes, bool keepdim) {
  return apply_one(Sum(axes, keepdim), input);
}

Tensor sum_to(const Tensor& input, const Shape& shape) {
  if (input.shape() == shape) return input;
  Dims axes;
  const int lead = input.rank() - shape.rank();
  for (int i = 0; i < input.rank(); ++i) {
    if (i < lead || (shape[i - lead] == 1 && input.shape()[i] != 1)) axes.push_back(i);
  }
  if (axes.empty()) return reshape(input, shape);
  return reshape(sum(input, axes, true), shape);
}

}  // namespace espalier
