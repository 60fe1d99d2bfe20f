#include <string>

#include "ops/along_axis_internal.h"

namespace espalier {
namespace {

/// The shapes must agree but, where `but_along`, for the axis.
void check_indices(std::string_view name, Inputs inputs, int64_t axis, bool but_along) {
  if (inputs[1].dtype() != Dtype::i64)
    throw TypeError(name, "inputs are " + describe(inputs) + "; expected indices of type i64");
  const AxisSlices slices(inputs[0].shape(), axis, name);
  const Shape& indices = inputs[1].shape();
  const bool same = inputs[0].rank() == indices.rank();
  const AxisSlices chosen(same ? indices : Shape{}, same ? axis : 0, name);
  if (same && (but_along ? slices.with_size(chosen.size()) : inputs[0].shape()) == indices) return;
  throw ShapeError(name, "elements and indices " + describe(inputs) + " differ in shape" +
                             (but_along ? " in other axes than " + std::to_string(axis) : ""));
}

}  // namespace

void TakeAlongAxis::infer(Inputs inputs, OutputSpecs& outputs) const {
  check_indices(kName, inputs, axis_, true);
  outputs.push_back(OutputSpec::fresh(inputs[1].shape(), inputs[0].dtype()));
}

Tensors TakeAlongAxis::backward(const BackwardContext& context) const {
  const int64_t size = AxisSlices(context.input_shape(0), axis_, kName).size();
  return {put_along_axis(context.gradient(0), context.input(1), axis_, size), Tensor()};
}

std::vector<AxisTie> TakeAlongAxis::axis_ties(Inputs inputs) const {
  return AxisSlices(inputs[0].shape(), axis_, kName).ties(2, 1);
}

void PutAlongAxis::infer(Inputs inputs, OutputSpecs& outputs) const {
  check_indices(kName, inputs, axis_, false);
  const Shape shape = AxisSlices(inputs[0].shape(), axis_, kName).with_size(size_);
  checked_count(shape, kName);
  outputs.push_back(OutputSpec::fresh(shape, inputs[0].dtype()));
}

Tensors PutAlongAxis::backward(const BackwardContext& context) const {
  return {take_along_axis(context.gradient(0), context.input(1), axis_), Tensor()};
}

std::vector<AxisTie> PutAlongAxis::axis_ties(Inputs inputs) const {
  return AxisSlices(inputs[0].shape(), axis_, kName).ties(2, 1);
}

Tensor take_along_axis(const Tensor& x, const Tensor& indices, int64_t axis) {
  return apply_one(TakeAlongAxis(axis), x, indices);
}

Tensor put_along_axis(const Tensor& elements, const Tensor& indices, int64_t axis, int64_t size) {
  return apply_one(PutAlongAxis(axis, size), elements, indices);
}

}  // namespace espalier
