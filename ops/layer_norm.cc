#include "ops/layer_norm.h"

#include <string>

#include "ops/add.h"
#include "ops/divide.h"
#include "ops/mean.h"
#include "ops/multiply.h"
#include "ops/norm_internal.h"
#include "ops/sqrt.h"
#include "ops/subtract.h"

namespace espalier {
namespace {}  // namespace

void LayerNorm::infer(Inputs inputs, OutputSpecs& outputs) const {
  const Tensor& x = inputs[0];
  for (const Tensor& input : inputs) {
    if (input.defined() && input.dtype() != x.dtype()) {
      throw TypeError(
          kName, "x, weight and bias, " + describe(inputs) + ", are of several types; convert them to one");
    }
  }
  if (x.rank() < axes_) {
    throw ShapeError(kName, "x is " + describe(x) + "; expected at least " + std::to_string(axes_) + " axes");
  }
  const Shape normalized = last_axes(x.shape(), axes_);
  if (!absent_or_of(inputs[1], normalized) || !absent_or_of(inputs[2], normalized)) {
    throw ShapeError(kName, "x, weight and bias are " + describe(inputs) + "; expected weight and bias " +
                                to_string(normalized) + " (or absent)");
  }
  const Shape rows = leading_axes(x.shape(), axes_);
  outputs.push_back(OutputSpec::fresh(x.shape(), x.dtype()));
  outputs.push_back(OutputSpec::fresh(rows, statistics_type(x.dtype())));
  outputs.push_back(OutputSpec::fresh(rows, statistics_type(x.dtype())));
}

Tensors LayerNorm::backward(const BackwardContext& context) const {
  const LayerNormBackward operation(axes_, context.wants(0), context.wants(1), context.wants(2));
  const Tensors found = apply(operation, {context.gradient(0), context.input(0), context.input(1),
                                          context.output(1), context.output(2)});
  Tensors gradients(3);
  size_t next = 0;
  for (int i = 0; i < 3; ++i) {
    if (context.wants(i)) gradients[static_cast<size_t>(i)] = found[next++];
  }
  return gradients;
}

Tensors LayerNorm::decompose(Inputs inputs) const {
  Dims axes;
  for (int i = -axes_; i < 0; ++i) axes.push_back(i);
  const Tensor centered = inputs[0] - mean(inputs[0], axes, true);
  const Tensor variance = mean(centered * centered, axes, true);
  Tensor y = centered / sqrt(variance + epsilon_);
  if (inputs[1].defined()) y = y * inputs[1];
  if (inputs[2].defined()) y = y + inputs[2];
  return {y};
}

Cost LayerNorm::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  Cost cost = Operation::cost(inputs, outputs);
  cost.flops = 8 * inputs[0].numel();  // sum; centre, square, sum; centre, scale, weight, bias
  return cost;
}

std::vector<AxisTie> LayerNorm::axis_ties(Inputs inputs) const {
  std::vector<AxisTie> ties;
  const int lead = inputs[0].rank() - axes_;
  for (int i = 0; i < inputs[0].rank(); ++i) {
    AxisTie tie{{{0, i}, {-1, i}}};
    if (i < lead) {
      tie.axes.push_back({-2, i});
      tie.axes.push_back({-3, i});
    } else {
      tie.mixed = true;
      for (int operand = 1; operand < 3; ++operand) {
        if (inputs[static_cast<size_t>(operand)].defined()) tie.axes.push_back({operand, i - lead});
      }
    }
    ties.push_back(std::move(tie));
  }
  return ties;
}

void LayerNormBackward::infer(Inputs inputs, OutputSpecs& outputs) const {
  const Tensor &dy = inputs[0], &x = inputs[1], &weight = inputs[2], &mean = inputs[3], &scale = inputs[4];
  const char* const expected =
      "; expected dy and x of one shape, weight of its last axes (or absent), mean and 1 / deviation of the "
      "others";
  if (dy.shape() != x.shape() || x.rank() < axes_ || !absent_or_of(weight, last_axes(x.shape(), axes_)) ||
      mean.shape() != leading_axes(x.shape(), axes_) || scale.shape() != mean.shape()) {
    throw ShapeError(kName, "inputs are " + describe(inputs) + expected);
  }
  const Dtype statistics = statistics_type(x.dtype());
  if (dy.dtype() != x.dtype() || (weight.defined() && weight.dtype() != x.dtype()) ||
      mean.dtype() != statistics || scale.dtype() != statistics) {
    throw TypeError(kName, "inputs " + describe(inputs) + " are of several types");
  }
  const Shape normalized = last_axes(x.shape(), axes_);
  if (wants(0)) outputs.push_back(OutputSpec::fresh(x.shape(), x.dtype()));
  if (wants(1)) outputs.push_back(OutputSpec::fresh(normalized, x.dtype()));
  if (wants(2)) outputs.push_back(OutputSpec::fresh(normalized, x.dtype()));
}

Cost LayerNormBackward::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  Cost cost = Operation::cost(inputs, outputs);
  cost.flops = (wants(0) ? 11 : 0) * inputs[0].numel();
  if (wants(1) || wants(2)) cost.flops += 3 * inputs[0].numel();
  return cost;
}

Tensor layer_norm(const Tensor& x, const Shape& normalized_shape, const Tensor& weight, const Tensor& bias,
                  double epsilon) {
  const int axes = normalized_shape.rank();
  if (!(epsilon >= 0)) {
    throw ValueError(LayerNorm::kName, "epsilon is " + std::to_string(epsilon) + "; expected 0 or more");
  }
  check_defined(LayerNorm::kName, x);
  const bool agrees = axes > 0 && x.rank() >= axes && last_axes(x.shape(), axes) == normalized_shape;
  if (!agrees) {
    throw ShapeError(LayerNorm::kName, "x is " + describe(x) + "; its last axes should be " +
                                           to_string(normalized_shape) + ", at least one");
  }
  return apply_one(LayerNorm(axes, epsilon), x, weight, bias);
}

}  // namespace espalier
