#include "ops/cast.h"

#include "ops/elementwise_internal.h"

namespace espalier {

void Cast::infer(Inputs inputs, OutputSpecs& outputs) const {
  outputs.push_back(elementwise_spec(kName, inputs, dtype_));
}

Tensors Cast::backward(const BackwardContext& context) const {
  return {cast(context.gradient(0), context.input_dtype(0))};
}

std::vector<AxisTie> Cast::axis_ties(Inputs inputs) const {
  return elementwise_ties(inputs);
}

Tensor cast(const Tensor& input, Dtype dtype) {
  return input.dtype() == dtype ? input : apply_one(Cast(dtype), input);
}

}  // namespace espalier
