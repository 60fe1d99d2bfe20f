#include <string>

#include "ops/loss_internal.h"
#include "ops/update_internal.h"

namespace espalier {

void infer_update(std::string_view name, Inputs inputs, int operands, OutputSpecs& outputs) {
  const auto count = static_cast<size_t>(operands);
  const Tensor& parameter = inputs[0];
  check_loss_type(name, parameter.dtype(), inputs);
  for (const Tensor& operand : inputs.first(count)) {
    if (operand.shape() != parameter.shape()) {
      throw ShapeError(name, "parameter, gradient and state are " + describe(inputs.first(count)) +
                                 "; expected one shape");
    }
    if (operand.dtype() != parameter.dtype()) {
      throw TypeError(
          name, "parameter, gradient and state are " + describe(inputs.first(count)) + "; expected one type");
    }
  }
  const Tensor& rate = inputs[count];
  if (rate.rank() != 0)
    throw ShapeError(name, "the learning rate is " + describe(rate) + "; expected a tensor without axes");
  if (rate.dtype() != Dtype::f64 && rate.dtype() != Dtype::f32)
    throw TypeError(name, "the learning rate is " + describe(rate) + "; expected f64 or f32");
  outputs.push_back(OutputSpec::update(0, parameter));
  for (int i = 2; i < operands; ++i) outputs.push_back(OutputSpec::update(i, inputs[static_cast<size_t>(i)]));
}

std::vector<AxisTie> update_ties(const Tensor& parameter, int operands) {
  std::vector<AxisTie> ties(static_cast<size_t>(parameter.rank()));
  for (int axis = 0; axis < parameter.rank(); ++axis) {
    std::vector<AxisTie::Axis>& tied = ties[static_cast<size_t>(axis)].axes;
    for (int operand = 0; operand < operands; ++operand) tied.push_back({operand, axis});
    for (int output = 1; output < operands; ++output) tied.push_back({-output, axis});
  }
  return ties;
}

}  // namespace espalier
