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
  // Only axes that are kept as they are: the others have a size of their own, here in the shape.
  std::vector<AxisTie> ties;
  const int lead = shape_.rank() - inputs[0].rank();
  for (int i = 0; i < inputs[0].rank(); ++i) {
    if (shape_[lead + i] == -1) ties.push_back({{{0, i}, {-1, lead + i}}});
  }
  return ties;
}

void Expand::print_attributes(std::ostream& out) const {
  out << "shape=" << to_string(shape_);
}

Tensor expand(const Tensor& input, const Shape& shape) {
  check_defined(Expand::kName, input);
  if (input.shape() == shape) return input;
  const int lead = shape.rank() - input.rank();
  Shape kept = shape;
  bool fits = lead >= 0;
  for (int i = 0; i < shape.rank() && fits; ++i) {
    if (i >= lead && shape[i] == input.shape()[i - lead]) kept[i] = -1;
    fits = i < lead ? shape[i] >= 0 : kept[i] == -1 || input.shape()[i - lead] == 1;
  }
  return apply_one(Expand(fits ? kept : shape), input);  // an error shows the shape that was asked for
}

}  // namespace espalier
