#include "ops/maximum.h"

#include "ops/elementwise_internal.h"

namespace espalier {
namespace {

/// `gradient` where a > b; see MaximumBackward.
Tensor share(const Tensor& gradient, const Tensor& a, const Tensor& b) {
  return apply_one(MaximumBackward(), gradient, a, b);
}

}  // namespace

Tensors Maximum::backward(const BackwardContext& context) const {
  const Tensor &g = context.gradient(0), &a = context.input(0), &b = context.input(1);
  return {input_gradient(context, 0, [&] { return share(g, a, b); }),
          input_gradient(context, 1, [&] { return share(g, b, a); })};
}

Tensors Minimum::backward(const BackwardContext& context) const {
  const Tensor &g = context.gradient(0), &a = context.input(0), &b = context.input(1);
  return {input_gradient(context, 0, [&] { return share(g, b, a); }),
          input_gradient(context, 1, [&] { return share(g, a, b); })};
}

// Linear in g; constant in a and b but where they cross.
Tensors MaximumBackward::backward(const BackwardContext& context) const {
  return {input_gradient(context, 0,
                         [&] { return share(context.gradient(0), context.input(1), context.input(2)); }),
          Tensor(), Tensor()};
}

Tensor maximum(const Tensor& a, const Tensor& b) {
  return apply_elementwise<Maximum>(a, b);
}
Tensor maximum(const Tensor& a, Scalar b) {
  return apply_elementwise<Maximum>(a, b);
}

Tensor minimum(const Tensor& a, const Tensor& b) {
  return apply_elementwise<Minimum>(a, b);
}
Tensor minimum(const Tensor& a, Scalar b) {
  return apply_elementwise<Minimum>(a, b);
}

}  // namespace espalier
