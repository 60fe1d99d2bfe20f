#include "ops/group_norm.h"

#include <string>

#include "ops/add.h"
#include "ops/divide.h"
#include "ops/mean.h"
#include "ops/multiply.h"
#include "ops/norm_internal.h"
#include "ops/reshape.h"
#include "ops/sqrt.h"
#include "ops/subtract.h"
#include "ops/window_internal.h"

namespace espalier {
namespace {

bool fits(const Tensor& parameter, int64_t channels) {
  return !parameter.defined() || parameter.shape() == Shape{channels};
}

/// Channels-last images keep their layout; everything else becomes row-major.
OutputSpec like(const Tensor& x) {
  return OutputSpec::fresh(
      x.shape(), x.rank() == 4 ? image_strides(x, x.shape()) : contiguous_strides(x.shape()), x.dtype());
}

}  // namespace

void GroupNorm::infer(Inputs inputs, OutputSpecs& outputs) const {
  const Tensor& x = inputs[0];
  check_channels(kName, inputs, x);
  for (const Tensor& input : inputs) {
    if (input.defined() && input.dtype() != x.dtype()) {
      throw TypeError(
          kName, "x, weight and bias, " + describe(inputs) + ", are of several types; convert them to one");
    }
  }
  if (groups_ < 1) throw ValueError(kName, "groups is " + std::to_string(groups_) + "; expected 1 or more");
  if (!(epsilon_ >= 0))
    throw ValueError(kName, "epsilon is " + std::to_string(epsilon_) + "; expected 0 or more");
  const int64_t channels = x.shape()[1];
  if (channels % groups_ != 0) {
    throw ShapeError(kName, std::to_string(groups_) + " groups do not divide " + std::to_string(channels) +
                                " channels, axis 1 (inputs " + describe(inputs) + ")");
  }
  if (!fits(inputs[1], channels) || !fits(inputs[2], channels)) {
    throw ShapeError(kName, "x, weight and bias are " + describe(inputs) + "; expected weight and bias [" +
                                std::to_string(channels) + "] (or absent)");
  }
  const Shape statistics{x.shape()[0], groups_};
  checked_count(statistics, kName);
  outputs.push_back(like(x));
  outputs.push_back(OutputSpec::fresh(statistics, statistics_type(x.dtype())));
  outputs.push_back(OutputSpec::fresh(statistics, statistics_type(x.dtype())));
}

Tensors GroupNorm::backward(const BackwardContext& context) const {
  const GroupNormBackward operation(context.wants(0), context.wants(1), context.wants(2));
  const Tensors found = apply(operation, {context.gradient(0), context.input(0), context.input(1),
                                          context.output(1), context.output(2)});
  Tensors gradients(3);
  size_t next = 0;
  for (int i = 0; i < 3; ++i) {
    if (context.wants(i)) gradients[static_cast<size_t>(i)] = found[next++];
  }
  return gradients;
}

Tensors GroupNorm::decompose(Inputs inputs) const {
  const Tensor& x = inputs[0];
  const Shape& shape = x.shape();
  int64_t members = shape[1] / groups_;
  for (int i = 2; i < shape.rank(); ++i) members *= shape[i];
  const Tensor rows = reshape(x, {shape[0], groups_, members});
  const Tensor centred = rows - mean(rows, {2}, true);
  const Tensor variance = mean(centred * centred, {2}, true);
  Tensor y = reshape(centred / sqrt(variance + epsilon_), shape);
  if (inputs[1].defined()) y = y * along_channels(inputs[1], shape.rank());
  if (inputs[2].defined()) y = y + along_channels(inputs[2], shape.rank());
  return {y};
}

Cost GroupNorm::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  Cost cost = Operation::cost(inputs, outputs);
  cost.flops = 7 * inputs[0].numel();  // sum; centre, square, sum; centre, scale, shift
  return cost;
}

std::vector<AxisTie> GroupNorm::axis_ties(Inputs inputs) const {
  std::vector<AxisTie> ties = {{{{0, 0}, {-1, 0}, {-2, 0}, {-3, 0}}}};
  for (int i = 1; i < inputs[0].rank(); ++i) {
    // With several groups a channel cannot go without the groups' number changing.
    if (i == 1 && groups_ != 1) continue;
    AxisTie tie{{{0, i}, {-1, i}}, true};
    for (int operand = 1; i == 1 && operand < 3; ++operand) {
      if (inputs[static_cast<size_t>(operand)].defined()) tie.axes.push_back({operand, 0});
    }
    ties.push_back(std::move(tie));
  }
  return ties;
}

void GroupNormBackward::infer(Inputs inputs, OutputSpecs& outputs) const {
  const Tensor &dy = inputs[0], &x = inputs[1], &weight = inputs[2], &mean = inputs[3], &scale = inputs[4];
  check_channels(kName, inputs, x);
  const int64_t channels = x.shape()[1];
  if (dy.shape() != x.shape() || !fits(weight, channels) || mean.rank() != 2 ||
      mean.shape()[0] != x.shape()[0] || mean.shape()[1] < 1 || channels % mean.shape()[1] != 0 ||
      scale.shape() != mean.shape()) {
    throw ShapeError(kName, "inputs are " + describe(inputs) + "; expected dy and x of one shape, weight [" +
                                std::to_string(channels) +
                                "] (or absent), mean and 1 / deviation [N, groups]");
  }
  const Dtype statistics = statistics_type(x.dtype());
  if (dy.dtype() != x.dtype() || (weight.defined() && weight.dtype() != x.dtype()) ||
      mean.dtype() != statistics || scale.dtype() != statistics) {
    throw TypeError(kName, "inputs " + describe(inputs) + " are of several types");
  }
  if (wants(0)) outputs.push_back(like(x));
  if (wants(1)) outputs.push_back(OutputSpec::fresh({channels}, x.dtype()));
  if (wants(2)) outputs.push_back(OutputSpec::fresh({channels}, x.dtype()));
}

Cost GroupNormBackward::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  Cost cost = Operation::cost(inputs, outputs);
  cost.flops = (4 + (wants(0) ? 5 : 0)) * inputs[0].numel();
  return cost;
}

Tensor group_norm(const Tensor& x, int64_t groups, const Tensor& weight, const Tensor& bias, double epsilon) {
  return apply_one(GroupNorm(groups, epsilon), x, weight, bias);
}

Tensor instance_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double epsilon) {
  check_defined("instance_norm", x);
  if (x.rank() < 3) {
    throw ShapeError("instance_norm", "x is " + describe(x) + "; expected at least 3 axes, [N, C, L]");
  }
  return group_norm(x, std::max<int64_t>(x.shape()[1], 1), weight, bias, epsilon);
}

}  // namespace espalier
