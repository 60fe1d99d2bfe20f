#include "ops/power.h"

#include <string>

#include "ops/add.h"
#include "ops/compare.h"
#include "ops/elementwise_internal.h"
#include "ops/log.h"
#include "ops/logical.h"
#include "ops/multiply.h"
#include "ops/subtract.h"
#include "ops/where.h"

namespace espalier {
namespace {

/// The logarithm of `a`, but 0 where a^b is 0 or 1 for every exponent near b: for derivatives by b.
Tensor log_of_base(const Tensor& a, const Tensor& b) {
  return log(where(logical_and(equal(a, 0), b >= 0), 1, a));
}

}  // namespace

// d/db a^b = a^b ln a.
Tensors Power::backward(const BackwardContext& context) const {
  const Tensor &g = context.gradient(0), &a = context.input(0), &b = context.input(1);
  return {input_gradient(context, 0, [&] { return apply_one(PowerBackward(), g, a, b); }),
          input_gradient(context, 1, [&] { return g * power(a, b) * log_of_base(a, b); })};
}

// Of y = g b a^(b - 1): dy/da = g b (b - 1) a^(b - 2), 0 where b is 0, and dy/db = g a^(b - 1) (1 + b ln a).
Tensors PowerBackward::backward(const BackwardContext& context) const {
  const Tensor &h = context.gradient(0), &g = context.input(0), &a = context.input(1), &b = context.input(2);
  return {
      input_gradient(context, 0, [&] { return apply_one(PowerBackward(), h, a, b); }),
      input_gradient(context, 1,
                     [&] {
                       const Tensor slope = apply_one(PowerBackward(), h * g * b, a, b - 1);
                       return masked_fill(slope, equal(b, 0), 0);
                     }),
      input_gradient(context, 2, [&] { return h * g * power(a, b - 1) * (b * log_of_base(a, b - 1) + 1); })};
}

Tensor power(const Tensor& a, const Tensor& b) {
  return apply_elementwise<Power>(a, b);
}

Tensor power(const Tensor& a, Scalar b) {
  if (b.to_double() < 0 && !is_floating(result_type(Power::kName, a, b))) {
    throw ValueError(Power::kName, describe(a) + " to " + std::to_string(b.to_int()) +
                                       ": integers have no negative powers; convert them to a floating type");
  }
  return apply_elementwise<Power>(a, b);
}

Tensor power(Scalar a, const Tensor& b) {
  return apply_elementwise<Power>(a, b);
}

}  // namespace espalier
