#include "ops/rms_norm.h"

#include <limits>
#include <string>

#include "ops/add.h"
#include "ops/divide.h"
#include "ops/mean.h"
#include "ops/multiply.h"
#include "ops/norm_internal.h"
#include "ops/sqrt.h"

namespace espalier {
namespace {

void check_type(std::string_view name, const Tensor& x) {
  if (x.dtype() > Dtype::bf16)
    throw TypeError(name, "x is " + describe(x) + "; expected f64, f32, f16 or bf16");
}

}  // namespace

void RmsNorm::infer(Inputs inputs, OutputSpecs& outputs) const {
  const Tensor &x = inputs[0], &weight = inputs[1];
  check_type(kName, x);
  if (weight.defined() && weight.dtype() != x.dtype()) {
    throw TypeError(kName,
                    "x and weight, " + describe(inputs) + ", are of several types; convert them to one");
  }
  if (axes_ < 1 || x.rank() < axes_) {
    throw ShapeError(kName, "x is " + describe(x) + "; expected at least " + std::to_string(axes_) + " axes");
  }
  const Shape normalized = last_axes(x.shape(), axes_);
  if (!absent_or_of(weight, normalized)) {
    throw ShapeError(kName, "x and weight are " + describe(inputs) + "; expected weight " +
                                to_string(normalized) + " (or absent)");
  }
  outputs.push_back(OutputSpec::fresh(x.shape(), x.dtype()));
  outputs.push_back(OutputSpec::fresh(leading_axes(x.shape(), axes_), statistics_type(x.dtype())));
}

Tensors RmsNorm::backward(const BackwardContext& context) const {
  const RmsNormBackward operation(axes_, context.wants(0), context.wants(1));
  const Tensors found =
      apply(operation, {context.gradient(0), context.input(0), context.input(1), context.output(1)});
  Tensors gradients(2);
  size_t next = 0;
  for (int i = 0; i < 2; ++i) {
    if (context.wants(i)) gradients[static_cast<size_t>(i)] = found[next++];
  }
  return gradients;
}

Tensors RmsNorm::decompose(Inputs inputs) const {
  Dims axes;
  for (int i = -axes_; i < 0; ++i) axes.push_back(i);
  const Tensor& x = inputs[0];
  const Tensor y = x / sqrt(mean(x * x, axes, true) + epsilon_);
  return {inputs[1].defined() ? y * inputs[1] : y};
}

Cost RmsNorm::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  Cost cost = Operation::cost(inputs, outputs);
  cost.flops = 4 * inputs[0].numel();  // square, sum; scale, weight
  return cost;
}

std::vector<AxisTie> RmsNorm::axis_ties(Inputs inputs) const {
  std::vector<AxisTie> ties;
  const int lead = inputs[0].rank() - axes_;
  for (int i = 0; i < inputs[0].rank(); ++i) {
    AxisTie tie{{{0, i}, {-1, i}}};
    tie.mixed = i >= lead;
    if (i < lead)
      tie.axes.push_back({-2, i});
    else if (inputs[1].defined())
      tie.axes.push_back({1, i - lead});
    ties.push_back(std::move(tie));
  }
  return ties;
}

void RmsNormBackward::infer(Inputs inputs, OutputSpecs& outputs) const {
  const Tensor &dy = inputs[0], &x = inputs[1], &weight = inputs[2], &scale = inputs[3];
  check_type(kName, x);
  if (axes_ < 1 || dy.shape() != x.shape() || x.rank() < axes_ ||
      !absent_or_of(weight, last_axes(x.shape(), axes_)) || scale.shape() != leading_axes(x.shape(), axes_)) {
    throw ShapeError(kName, "inputs are " + describe(inputs) +
                                "; expected dy and x of one shape, weight of its last axes (or absent), the "
                                "scale of the others");
  }
  if (dy.dtype() != x.dtype() || (weight.defined() && weight.dtype() != x.dtype()) ||
      scale.dtype() != statistics_type(x.dtype())) {
    throw TypeError(kName, "inputs " + describe(inputs) + " are of several types");
  }
  if (wants(0)) outputs.push_back(OutputSpec::fresh(x.shape(), x.dtype()));
  if (wants(1)) outputs.push_back(OutputSpec::fresh(last_axes(x.shape(), axes_), x.dtype()));
}

Cost RmsNormBackward::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  Cost cost = Operation::cost(inputs, outputs);
  cost.flops = ((wants(0) ? 8 : 0) + (wants(1) ? 3 : 0)) * inputs[0].numel();
  return cost;
}

Tensor rms_norm(const Tensor& x, const Shape& normalized_shape, const Tensor& weight,
                std::optional<double> epsilon) {
  const int axes = normalized_shape.rank();
  check_defined(RmsNorm::kName, x);
  const double added = epsilon.value_or(x.dtype() == Dtype::f64 ? std::numeric_limits<double>::epsilon()
                                                                : std::numeric_limits<float>::epsilon());
  if (!(added >= 0)) {
    throw ValueError(RmsNorm::kName, "epsilon is " + std::to_string(added) + "; expected 0 or more");
  }
  if (axes == 0 || x.rank() < axes || last_axes(x.shape(), axes) != normalized_shape) {
    throw ShapeError(RmsNorm::kName, "x is " + describe(x) + "; its last axes should be " +
                                         to_string(normalized_shape) + ", at least one");
  }
  return apply_one(RmsNorm(axes, added), x, weight);
}

}  // namespace espalier
