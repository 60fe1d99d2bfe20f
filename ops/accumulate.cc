#include "ops/accumulate.h"

namespace espalier {

void Accumulate::infer(Inputs inputs, OutputSpecs& outputs) const {
  if (inputs[0].shape() != inputs[1].shape()) {
    throw ShapeError(kName, "the sum is " + describe(inputs[0]) + " and the addend " + describe(inputs[1]) +
                                "; expected one shape");
  }
  if (inputs[0].dtype() != inputs[1].dtype()) {
    throw TypeError(kName, "the sum is " + describe(inputs[0]) + " and the addend " + describe(inputs[1]) +
                               "; expected one type");
  }
  outputs.push_back(OutputSpec::update(0, inputs[0]));
}

Tensor accumulate_(const Tensor& sum, const Tensor& addend) {
  return apply_one(Accumulate(), sum, addend);
}

}  // namespace espalier
