#include "ops/softmax.h"

#include "ops/exp.h"
#include "ops/multiply.h"
#include "ops/negate.h"
#include "ops/subtract.h"
#include "ops/sum.h"
#include "ops/window_internal.h"

namespace espalier {
namespace {

/// The sum along the axis, which stays; a scalar is its own.
Tensor sum_along(const Tensor& x, int64_t axis) {
  return x.rank() == 0 ? x : sum(x, {axis}, true);
}

}  // namespace

void SoftmaxBase::infer(Inputs inputs, OutputSpecs& outputs) const {
  check_floating_inputs(name(), inputs);
  const Tensor& like = inputs.back();
  if (inputs[0].shape() != like.shape()) {
    throw ShapeError(name(), "the gradient and the result differ in shape: " + describe(inputs));
  }
  normalize_axis(axis_, std::max(like.rank(), 1), name());
  outputs.push_back(is_dense(like.shape(), like.strides())
                        ? OutputSpec::fresh(like.shape(), like.strides(), like.dtype())
                        : OutputSpec::fresh(like.shape(), like.dtype()));
}

Cost SoftmaxBase::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  Cost cost = Operation::cost(inputs, outputs);
  // Maximum, difference, exponential, sum, scaling; backward: product, sum, difference, product.
  cost.flops = (inputs.size() == 1 ? 5 : 4) * inputs[0].numel();
  return cost;
}

std::vector<AxisTie> SoftmaxBase::axis_ties(Inputs inputs) const {
  const int rank = inputs[0].rank();
  const int axis = normalize_axis(axis_, std::max(rank, 1), name());
  std::vector<AxisTie> ties;
  for (int i = 0; i < rank; ++i) {
    if (i == axis) continue;
    AxisTie tie;
    for (int operand = 0; operand < static_cast<int>(inputs.size()); ++operand) {
      tie.axes.push_back({operand, i});
    }
    tie.axes.push_back({-1, i});
    ties.push_back(std::move(tie));
  }
  return ties;
}

Tensors Softmax::backward(const BackwardContext& context) const {
  return {apply_one(SoftmaxBackward(axis()), context.gradient(0), context.output(0))};
}

// The gradient is bilinear in g and, twice, y: with s = sum of g y and the incoming d, the one with respect
// to y is d (g - s) - g (sum of d y).
Tensors SoftmaxBackward::backward(const BackwardContext& context) const {
  const Tensor &g = context.input(0), &y = context.input(1), &d = context.gradient(0);
  Tensors gradients(2);
  if (context.wants(0)) gradients[0] = apply_one(SoftmaxBackward(axis()), d, y);
  if (context.wants(1)) gradients[1] = d * (g - sum_along(g * y, axis())) - g * sum_along(d * y, axis());
  return gradients;
}

Tensors LogSoftmax::backward(const BackwardContext& context) const {
  return {apply_one(LogSoftmaxBackward(axis()), context.gradient(0), context.output(0))};
}

Tensors LogSoftmaxBackward::backward(const BackwardContext& context) const {
  const Tensor &g = context.input(0), &y = context.input(1), &d = context.gradient(0);
  const Tensor weighted = d * exp(y);
  Tensors gradients(2);
  if (context.wants(0)) gradients[0] = d - sum_along(weighted, axis());
  if (context.wants(1)) gradients[1] = -(weighted * sum_along(g, axis()));
  return gradients;
}

Tensor softmax(const Tensor& x, int64_t axis) {
  return apply_one(Softmax(axis), x);
}

Tensor log_softmax(const Tensor& x, int64_t axis) {
  return apply_one(LogSoftmax(axis), x);
}

}  // namespace espalier
