#include "ops/argmax.h"

#include "ops/along_axis_internal.h"

namespace espalier {

void AxisExtremum::visit_attributes(AttributeVisitor& visit) {
  Reduction::visit_attributes(visit);
  if (axes().rank() != 1)
    throw ValueError("attribute 'axes'", "is " + to_string(axes()) + "; expected one axis");
}

void Argmax::infer(Inputs inputs, OutputSpecs& outputs) const {
  check_reducible(inputs);
  check_has_elements(inputs[0]);
  outputs.push_back(reduced_spec(inputs[0], Dtype::i64));
}

void Argmin::infer(Inputs inputs, OutputSpecs& outputs) const {
  check_reducible(inputs);
  check_has_elements(inputs[0]);
  outputs.push_back(reduced_spec(inputs[0], Dtype::i64));
}

void ExtremumWithIndices::infer(Inputs inputs, OutputSpecs& outputs) const {
  check_reducible(inputs);
  check_has_elements(inputs[0]);
  outputs.push_back(reduced_spec(inputs[0], inputs[0].dtype()));
  outputs.push_back(reduced_spec(inputs[0], Dtype::i64));
}

Tensors ExtremumWithIndices::backward(const BackwardContext& context) const {
  const Shape& shape = context.input_shape(0);
  const int along = axis(shape.rank());
  return {put_along_axis(with_kept_axes(context.gradient(0), shape), with_kept_axes(context.output(1), shape),
                         along, shape[along])};
}

std::vector<AxisTie> ExtremumWithIndices::axis_ties(Inputs inputs) const {
  std::vector<AxisTie> ties = AxisExtremum::axis_ties(inputs);
  for (AxisTie& tie : ties) tie.axes.push_back({-2, tie.axes.back().axis});
  return ties;
}

Tensor argmax(const Tensor& input, int64_t axis, bool keepdim) {
  return apply_one(Argmax(axis, keepdim), input);
}

Tensor argmin(const Tensor& input, int64_t axis, bool keepdim) {
  return apply_one(Argmin(axis, keepdim), input);
}

ValuesAndIndices max_with_indices(const Tensor& input, int64_t axis, bool keepdim) {
  Tensors found = apply(MaxWithIndices(axis, keepdim), {input});
  return {std::move(found[0]), std::move(found[1])};
}

ValuesAndIndices min_with_indices(const Tensor& input, int64_t axis, bool keepdim) {
  Tensors found = apply(MinWithIndices(axis, keepdim), {input});
  return {std::move(found[0]), std::move(found[1])};
}

}  // namespace espalier
