#include "ops/equal.h"

#include "ops/elementwise_internal.h"

namespace espalier {

void Equal::infer(Inputs inputs, OutputSpecs& outputs) const {
  Elementwise::infer(inputs, outputs);
  outputs.back().dtype = Dtype::boolean;
}

Tensor equal(const Tensor& a, const Tensor& b) {
  return apply_elementwise<Equal>(a, b);
}

Tensor equal(const Tensor& a, Scalar b) {
  return apply_elementwise<Equal>(a, b);
}

}  // namespace espalier
