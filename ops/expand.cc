#include "ops/expand.h"

#include "ops/elementwise_internal.h"
#include "ops/sum.h"

namespace espalier {

void Expand::infer(Inputs inputs, OutputSpecs& outputs) const {
  const Tensor& input = inputs[0];
  Shape shape = shape_;
  const int lead = shape.rank() - input.rank();
  bool fits = lead >= 0;
  for (int i = 0; i < shape.rank() && fits; ++i) {
    const int64_t own = i >= lead ? input.shape()[i - lead] : 1;
    if (shape[i] == -1 && i >= lead) shape[i] = own;
    fits = shape[i] >= 0 && (own == shape[i] || own == 1);
  }
  if (!fits) throw ShapeError(kName, describe(input) + " does not broadcast to " + to_string(shape_));
  checked_count(shape, kName);
  outputs.push_back(OutputSpec::view(
      0, input, shape, broadcast_strides(input.shape(), input.strides(), shape), input.offset()));
}

Tensors Expand::backward(const BackwardContext& context) const {
  return {sum_to(context.gradient(0), context.input_shape(0))};
}

std::vector<AxisTie> Expand::axis_ties(Inputs inputs) const {
  // The new axes have no source that could shrink.
  return elementwise_ties(inputs);
}

void Expand::print_attributes(std::ostream& out) const {
  out << "shape=" << to_string(shape_);
}

Tensor expand(const Tensor& input, const Shape& shape) {
  return input.shape() == shape ? input : apply_one(Expand(shape), input);
}

}  // namespace espalier
