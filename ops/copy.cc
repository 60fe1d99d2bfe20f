#include "ops/copy.h"

#include "ops/cast.h"
#include "ops/elementwise_internal.h"
#include "ops/expand.h"
#include "ops/layout_internal.h"

namespace espalier {

void Copy::visit_attributes(AttributeVisitor& visit) {
  constexpr std::string_view kNames[] = {"preserve", "contiguous", "channels_last"};
  visit("layout", layout_, kNames);
}

void Copy::infer(Inputs inputs, OutputSpecs& outputs) const {
  const Tensor& input = inputs[0];
  const Shape& shape = input.shape();
  switch (layout_) {
    case Layout::preserve:
      return outputs.push_back(is_dense(shape, input.strides())
                                   ? OutputSpec::fresh(shape, input.strides(), input.dtype())
                                   : OutputSpec::fresh(shape, input.dtype()));
    case Layout::contiguous:
      return outputs.push_back(OutputSpec::fresh(shape, input.dtype()));
    case Layout::channels_last:
      break;
  }
  if (shape.rank() != 4)
    throw ShapeError("channels_last", "input is " + describe(input) + "; expected axes N, C, H, W");
  outputs.push_back(OutputSpec::fresh(shape, channels_last_strides(shape), input.dtype()));
}

std::vector<AxisTie> Copy::axis_ties(Inputs inputs) const {
  return elementwise_ties(inputs);
}

Tensor copy(const Tensor& input) {
  return apply_one(Copy(Copy::Layout::preserve), input);
}

Tensor contiguous(const Tensor& input) {
  return input.is_contiguous() ? input : apply_one(Copy(Copy::Layout::contiguous), input);
}

Tensor channels_last(const Tensor& input) {
  return input.rank() == 4 && is_channels_last(input) ? input
                                                      : apply_one(Copy(Copy::Layout::channels_last), input);
}

void CopyInto::infer(Inputs inputs, OutputSpecs& outputs) const {
  if (inputs[0].shape() != inputs[1].shape() || inputs[0].dtype() != inputs[1].dtype()) {
    throw ShapeError(kName, "cannot copy " + describe(inputs[1]) + " into " + describe(inputs[0]));
  }
  outputs.push_back(OutputSpec::update(0, inputs[0]));
}

Tensor copy_(const Tensor& target, const Tensor& source) {
  return apply_one(CopyInto(), target, expand(cast(source, target.dtype()), target.shape()));
}

}  // namespace espalier
