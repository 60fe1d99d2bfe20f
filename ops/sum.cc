#include "ops/sum.h"

#include "ops/expand.h"
#include "ops/reduction_internal.h"
#include "ops/reshape.h"

namespace espalier {

void Sum::infer(Inputs inputs, OutputSpecs& outputs) const {
  const Tensor& input = inputs[0];
  const Dims axes = reduced_axes(kName, axes_, input.rank());
  outputs.push_back(OutputSpec::fresh(reduced_shape(input.shape(), axes, keepdim_),
                                      is_floating(input.dtype()) ? input.dtype() : Dtype::i64));
}

Tensors Sum::backward(const BackwardContext& context) const {
  const Shape& shape = context.input_shape(0);
  const Dims axes = reduced_axes(kName, axes_, shape.rank());
  return {expand(with_kept_axes(context.gradient(0), shape, axes), shape)};
}

std::vector<AxisTie> Sum::axis_ties(Inputs inputs) const {
  return reduction_ties(inputs[0], reduced_axes(kName, axes_, inputs[0].rank()), keepdim_);
}

void Sum::print_attributes(std::ostream& out) const {
  out << "axes=" << to_string(axes_) << ", keepdim=" << keepdim_;
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
