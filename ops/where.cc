#include "ops/where.h"

#include <cmath>
#include <string>

#include "ops/elementwise_internal.h"

namespace espalier {

void Where::infer(Inputs inputs, OutputSpecs& outputs) const {
  if (inputs[0].dtype() != Dtype::boolean) {
    throw TypeError(kName, "inputs " + describe(inputs) +
                               ": the first one, the condition, must be bool; compare it with something");
  }
  if (inputs[1].dtype() != inputs[2].dtype()) {
    throw TypeError(kName,
                    "inputs " + describe(inputs) + ": the values are of several types; convert them to one");
  }
  outputs.push_back(broadcast_spec(kName, inputs, inputs[1].dtype()));
}

Tensors Where::backward(const BackwardContext& context) const {
  const Tensor& condition = context.input(0);
  const Tensor& gradient = context.gradient(0);
  const Tensor zero = zeros({}, gradient.dtype(), gradient.device());
  return {Tensor(), input_gradient(context, 1, [&] { return apply_one(Where(), condition, gradient, zero); }),
          input_gradient(context, 2, [&] { return apply_one(Where(), condition, zero, gradient); })};
}

Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b) {
  const auto [x, y] = promoted(Where::kName, a, b);
  return apply_one(Where(), condition, x, y);
}

Tensor where(const Tensor& condition, const Tensor& a, Scalar b) {
  const auto [x, y] = promoted(Where::kName, a, b);
  return apply_one(Where(), condition, x, y);
}

Tensor where(const Tensor& condition, Scalar a, const Tensor& b) {
  const auto [y, x] = promoted(Where::kName, b, a);
  return apply_one(Where(), condition, x, y);
}

Tensor where(const Tensor& condition, Scalar a, Scalar b) {
  check_defined(Where::kName, condition);
  const Dtype dtype = promote(a.dtype(), b.dtype(), Where::kName);
  return apply_one(Where(), condition, full({}, a, dtype, condition.device()),
                   full({}, b, dtype, condition.device()));
}

Tensor masked_fill(const Tensor& x, const Tensor& mask, Scalar value) {
  check_defined("masked_fill", x);
  if (!is_floating(x.dtype()) && value.to_double() != std::trunc(value.to_double())) {
    throw ValueError("masked_fill", "a value of " + std::to_string(value.to_double()) + " for elements of " +
                                        std::string(to_string(x.dtype())) + "; convert them first");
  }
  return apply_one(Where(), mask, full({}, value, x.dtype(), x.device()), x);
}

}  // namespace espalier
