#include "ops/divide.h"

#include "ops/elementwise_internal.h"
#include "ops/multiply.h"
#include "ops/negate.h"

namespace espalier {

// With q = a / b: dq/da = 1 / b and dq/db = -q / b.
Tensors Divide::backward(const BackwardContext& context) const {
  Tensor by_a = context.gradient(0) / context.input(1);
  return {input_gradient(context, 0, [&] { return by_a; }),
          input_gradient(context, 1, [&] { return negate(by_a * context.output(0)); })};
}

Tensor divide(const Tensor& a, const Tensor& b) {
  return apply_elementwise<Divide>(a, b);
}

Tensor divide(const Tensor& a, Scalar b) {
  return apply_elementwise<Divide>(a, b);
}

Tensor divide(Scalar a, const Tensor& b) {
  return apply_elementwise<Divide>(a, b);
}

}  // namespace espalier
