#include "ops/any.h"

namespace espalier {

void Any::infer(Inputs inputs, OutputSpecs& outputs) const {
  check_reducible(inputs);
  outputs.push_back(reduced_spec(inputs[0], Dtype::boolean));
}

void All::infer(Inputs inputs, OutputSpecs& outputs) const {
  check_reducible(inputs);
  outputs.push_back(reduced_spec(inputs[0], Dtype::boolean));
}

void CountNonzero::infer(Inputs inputs, OutputSpecs& outputs) const {
  check_reducible(inputs);
  outputs.push_back(reduced_spec(inputs[0], Dtype::i64));
}

Tensor any(const Tensor& input, const Dims& axes, bool keepdim) {
  return apply_one(Any(axes, keepdim), input);
}

Tensor all(const Tensor& input, const Dims& axes, bool keepdim) {
  return apply_one(All(axes, keepdim), input);
}

Tensor count_nonzero(const Tensor& input, const Dims& axes, bool keepdim) {
  return apply_one(CountNonzero(axes, keepdim), input);
}

}  // namespace espalier
