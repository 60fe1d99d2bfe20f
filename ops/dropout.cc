#include "ops/dropout.h"

#include <string>

#include "ops/elementwise.h"
#include "ops/random_internal.h"

namespace espalier {
namespace {

/// Those of elementwise operations, but that the mask follows positions.
std::vector<AxisTie> dropout_ties(Inputs inputs) {
  std::vector<AxisTie> ties = elementwise_ties(inputs.first(1));
  for (AxisTie& tie : ties) tie.mixed = true;
  return ties;
}

}  // namespace

Dropout::Dropout(double p) : p_(p) {
  // Written so that NaN is refused.
  if (!(p >= 0 && p <= 1))
    throw ValueError(kName, "probability " + std::to_string(p) + "; expected a number from 0 to 1");
}

void Dropout::infer(Inputs inputs, OutputSpecs& outputs) const {
  outputs.push_back(elementwise_spec(kName, inputs.first(1), ElementTypes::floating));
  check_random_state(kName, inputs, 1);
  outputs.push_back(OutputSpec::fresh({2}, Dtype::i64));
  outputs.push_back(OutputSpec::update(1, inputs[1]));
}

Tensors Dropout::backward(const BackwardContext& context) const {
  return {apply_one(DropoutBackward(p_), context.gradient(0), context.output(1)), {}};
}

std::vector<AxisTie> Dropout::axis_ties(Inputs inputs) const {
  return dropout_ties(inputs);
}

Tensor dropout(const Tensor& input, double p, const Generator& from) {
  check_defined(Dropout::kName, input);
  const Dropout operation(p);
  return p == 0 && is_floating(input.dtype()) ? input
                                              : apply_one(operation, input, from.state_on(input.device()));
}

void DropoutBackward::infer(Inputs inputs, OutputSpecs& outputs) const {
  outputs.push_back(elementwise_spec(kName, inputs.first(1), ElementTypes::floating));
  check_random_state(kName, inputs, 1);
}

Tensors DropoutBackward::backward(const BackwardContext& context) const {
  return {apply_one(*this, context.gradient(0), context.input(1)), {}};
}

std::vector<AxisTie> DropoutBackward::axis_ties(Inputs inputs) const {
  return dropout_ties(inputs);
}

}  // namespace espalier
