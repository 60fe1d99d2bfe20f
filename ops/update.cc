#include <string>

#include "ops/loss_internal.h"
#include "ops/update_internal.h"

namespace espalier {
namespace {

void check_without_axes(std::string_view name, std::string_view what, const Tensor& tensor) {
  if (tensor.rank() == 0) return;
  throw ShapeError(
      name, "the " + std::string(what) + " is " + describe(tensor) + "; expected a tensor without axes");
}

}  // namespace

void infer_update(std::string_view name, Inputs inputs, int operands, OutputSpecs& outputs) {
  const auto count = static_cast<size_t>(operands);
  const Tensor& parameter = inputs[0];
  check_loss_type(name, parameter.dtype(), inputs);
  for (const Tensor& operand : inputs.first(count)) {
    if (!operand.defined()) continue;
    if (operand.shape() != parameter.shape()) {
      throw ShapeError(name, "parameter, gradient and state are " + describe(inputs.first(count)) +
                                 "; expected one shape");
    }
    if (operand.dtype() != parameter.dtype()) {
      throw TypeError(
          name, "parameter, gradient and state are " + describe(inputs.first(count)) + "; expected one type");
    }
  }
  check_rate(name, "learning rate", inputs[count]);
  for (int i = 0; i < operands; ++i) {
    const Tensor& operand = inputs[static_cast<size_t>(i)];
    if (i != 1 && operand.defined()) outputs.push_back(OutputSpec::update(i, operand));
  }
}

void check_rate(std::string_view name, std::string_view what, const Tensor& rate) {
  check_without_axes(name, what, rate);
  if (rate.dtype() != Dtype::f64 && rate.dtype() != Dtype::f32)
    throw TypeError(name, "the " + std::string(what) + " is " + describe(rate) + "; expected f64 or f32");
}

void infer_step_count(std::string_view name, Inputs inputs, int index, OutputSpecs& outputs) {
  const Tensor& step = inputs[static_cast<size_t>(index)];
  check_without_axes(name, "step", step);
  if (step.dtype() != Dtype::i64) throw TypeError(name, "the step is " + describe(step) + "; expected i64");
  outputs.push_back(OutputSpec::update(index, step));
}

double count_step(std::string_view name, const Tensor& step) {
  int64_t& count = *static_cast<int64_t*>(step.raw_data());
  if (count < 0) throw ValueError(name, "the step is " + std::to_string(count) + "; it counts from 0");
  return static_cast<double>(++count);
}

std::vector<AxisTie> update_ties(Inputs operands) {
  const int rank = operands[0].rank();
  std::vector<AxisTie> ties(static_cast<size_t>(rank));
  for (int axis = 0; axis < rank; ++axis) {
    std::vector<AxisTie::Axis>& tied = ties[static_cast<size_t>(axis)].axes;
    int outputs = 0;
    for (int operand = 0; operand < static_cast<int>(operands.size()); ++operand) {
      if (!operands[static_cast<size_t>(operand)].defined()) continue;
      tied.push_back({operand, axis});
      if (operand != 1) tied.push_back({-++outputs, axis});
    }
  }
  return ties;
}

}  // namespace espalier
