#include "ops/argmax.h"

namespace espalier {

void Argmax::infer(Inputs inputs, OutputSpecs& outputs) const {
  check_reducible(inputs);
  check_has_elements(inputs[0]);
  outputs.push_back(reduced_spec(inputs[0], Dtype::i64));
}

Tensor argmax(const Tensor& input, int64_t axis, bool keepdim) {
  return apply_one(Argmax(axis, keepdim), input);
}

}  // namespace espalier
