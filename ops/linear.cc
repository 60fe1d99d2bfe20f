#include "ops/linear.h"

#include <string>

#include "ops/add.h"
#include "ops/expand.h"
#include "ops/matmul.h"
#include "ops/matrix_internal.h"
#include "ops/permute.h"
#include "ops/reshape.h"
#include "ops/sum.h"

namespace espalier {
namespace {

[[noreturn]] void do_not_fit(std::string_view name, Inputs inputs) {
  throw ShapeError(name, "x, weight and bias are " + describe(inputs) +
                             "; expected [..., in], [out, in] and [out] (or no bias)");
}

/// `shape` with another last axis.
Shape with_last(const Shape& shape, int64_t size) {
  Shape result = shape;
  result[shape.rank() - 1] = size;
  return result;
}

/// The sum of those that are there.
void add_to(Tensor& sum, const Tensor& part) {
  sum = sum.defined() ? add(sum, part) : part;
}

}  // namespace

void Linear::infer(Inputs inputs, OutputSpecs& outputs) const {
  const Tensor &x = inputs[0], &weight = inputs[1], &bias = inputs[2];
  if (x.dtype() != weight.dtype() || (bias.defined() && bias.dtype() != x.dtype())) {
    throw TypeError(
        kName, "x, weight and bias, " + describe(inputs) + ", are of several types; convert them to one");
  }
  if (x.rank() < 1 || weight.rank() != 2 || x.shape().back() != weight.shape()[1]) do_not_fit(kName, inputs);
  const int64_t out = weight.shape()[0];
  if (bias.defined() && bias.shape() != Shape{out}) do_not_fit(kName, inputs);
  const Shape shape = with_last(x.shape(), out);
  checked_count(shape, kName);
  outputs.push_back(OutputSpec::fresh(shape, x.dtype()));
}

Tensors Linear::backward(const BackwardContext& context) const {
  const LinearBackward operation(context.wants(0), context.wants(1), context.wants(2));
  const Tensors found = apply(operation, {context.gradient(0), context.wants(1) ? context.input(0) : Tensor(),
                                          context.wants(0) ? context.input(1) : Tensor()});
  Tensors gradients(3);
  size_t next = 0;
  for (int i = 0; i < 3; ++i) {
    if (context.wants(i)) gradients[static_cast<size_t>(i)] = found[next++];
  }
  return gradients;
}

Cost Linear::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  Cost cost = Operation::cost(inputs, outputs);
  const int64_t elements = count(outputs[0].shape);
  cost.flops = 2 * elements * inputs[1].shape()[1] + (inputs[2].defined() ? elements : 0);
  return cost;
}

std::vector<AxisTie> Linear::axis_ties(Inputs inputs) const {
  const int last = inputs[0].rank() - 1;
  std::vector<AxisTie> ties;
  for (int i = 0; i < last; ++i) ties.push_back({{{0, i}, {-1, i}}});
  AxisTie out{{{1, 0}, {-1, last}}};
  if (inputs[2].defined()) out.axes.push_back({2, 0});
  ties.push_back(std::move(out));
  ties.push_back({{{0, last}, {1, 1}}});
  return ties;
}

void LinearBackward::infer(Inputs inputs, OutputSpecs& outputs) const {
  const Tensor &dy = inputs[0], &x = inputs[1], &weight = inputs[2];
  if ((x.defined() && x.dtype() != dy.dtype()) || (weight.defined() && weight.dtype() != dy.dtype())) {
    throw TypeError(kName, "dy, x and weight, " + describe(inputs) + ", are of several types");
  }
  const int64_t out = dy.rank() > 0 ? dy.shape().back() : -1;
  const bool fits = out >= 0 && (!x.defined() || (x.rank() > 0 && with_last(x.shape(), out) == dy.shape())) &&
                    (!weight.defined() || (weight.rank() == 2 && weight.shape()[0] == out));
  if (!fits) {
    throw ShapeError(
        kName, "dy, x and weight are " + describe(inputs) + "; expected [..., out], [..., in] and [out, in]");
  }
  if (wants(0)) outputs.push_back(OutputSpec::fresh(with_last(dy.shape(), weight.shape()[1]), dy.dtype()));
  if (wants(1)) outputs.push_back(OutputSpec::fresh({out, x.shape().back()}, dy.dtype()));
  if (wants(2)) outputs.push_back(OutputSpec::fresh({out}, dy.dtype()));
}

// The three results are linear in each of dy, x and W, so their gradients are products, too.
Tensors LinearBackward::backward(const BackwardContext& context) const {
  const Tensor &dy = context.input(0), &x = context.input(1), &weight = context.input(2);
  Tensor of[3];  // the gradients of dx, dW and db, where there are any
  int next = 0;
  for (int i = 0; i < 3; ++i) {
    if (wants(i)) of[i] = context.gradient(next++);
  }
  Tensors gradients(3);
  if (context.wants(0)) {
    Tensor& sum = gradients[0];
    if (of[0].defined()) add_to(sum, linear(of[0], weight));
    if (of[1].defined()) add_to(sum, linear(x, of[1]));
    if (of[2].defined()) add_to(sum, expand(of[2], context.input_shape(0)));
  }
  if (context.wants(1) && of[1].defined()) gradients[1] = matmul(dy, of[1]);
  if (context.wants(2) && of[0].defined()) {
    gradients[2] = matmul(transpose(as_matrix(dy), 0, 1), as_matrix(of[0]));
  }
  return gradients;
}

Cost LinearBackward::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  Cost cost = Operation::cost(inputs, outputs);
  const int64_t elements = inputs[0].numel();
  cost.flops = wants(2) ? elements : 0;
  if (wants(0)) cost.flops += 2 * elements * inputs[2].shape()[1];
  if (wants(1)) cost.flops += 2 * elements * inputs[1].shape().back();
  return cost;
}

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  return apply_one(Linear(), x, weight, bias);
}

}  // namespace espalier
