#include "ops/variance.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "ops/add.h"
#include "ops/cast.h"
#include "ops/divide.h"
#include "ops/equal.h"
#include "ops/expand.h"
#include "ops/multiply.h"
#include "ops/promotion.h"
#include "ops/subtract.h"

namespace espalier {

int64_t Spread::elements(const Shape& shape) const {
  int64_t n = 1;
  for (int64_t axis : reduced_axes(shape.rank())) n *= shape[static_cast<int>(axis)];
  return n;
}

double Spread::degrees_of_freedom(const Shape& shape) const {
  return std::max(0.0, static_cast<double>(elements(shape)) - correction_);
}

void Spread::infer(Inputs inputs, OutputSpecs& outputs) const {
  check_reducible(inputs, true);
  if (!std::isfinite(correction_)) {
    throw ValueError(name(), "correction is " + std::to_string(correction_) + " for " + describe(inputs) +
                                 "; expected a finite number");
  }
  outputs.push_back(reduced_spec(inputs[0], inputs[0].dtype()));
  outputs.push_back(reduced_spec(inputs[0], inputs[0].dtype()));
}

Cost Spread::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  Cost cost = Reduction::cost(inputs, outputs);
  cost.flops = 4 * inputs[0].numel();
  return cost;
}

std::vector<AxisTie> Spread::axis_ties(Inputs inputs) const {
  std::vector<AxisTie> ties = Reduction::axis_ties(inputs);
  for (AxisTie& tie : ties) tie.axes.push_back({-2, tie.axes.back().axis});
  return ties;
}

Tensor Spread::gradient_of(const BackwardContext& context, const Tensor& of_variance) const {
  const Shape& shape = context.input_shape(0);
  const Dtype dtype = context.input_dtype(0);
  // The narrow types cannot hold large counts.
  const auto share = [&](const Tensor& gradient, double divisor) {
    const Tensor wide = cast(with_kept_axes(gradient, shape), accumulation_type(dtype));
    return cast(wide / divisor, dtype);
  };
  Tensor result;
  if (of_variance.defined()) {
    const Tensor deviations = context.input(0) - with_kept_axes(context.output(1), shape);
    result = deviations * share(of_variance, degrees_of_freedom(shape) / 2);
  }
  const Tensor& of_mean = context.gradient(1);
  if (!of_mean.defined()) return result;
  const Tensor shared = share(of_mean, static_cast<double>(elements(shape)));
  return result.defined() ? result + shared : expand(shared, shape);
}

Tensors Variance::backward(const BackwardContext& context) const {
  return {gradient_of(context, context.gradient(0))};
}

// s' = v' / (2 s), and 0 where s is.
Tensors StandardDeviation::backward(const BackwardContext& context) const {
  const Tensor& gradient = context.gradient(0);
  if (!gradient.defined()) return {gradient_of(context, Tensor())};
  const Tensor& s = context.output(0);
  const Tensor none = cast(equal(s, 0), s.dtype());
  return {gradient_of(context, gradient * (1 - none) / (2 * (s + none)))};
}

Tensor variance(const Tensor& input, const Dims& axes, double correction, bool keepdim) {
  return variance_and_mean(input, axes, correction, keepdim).spread;
}

Tensor standard_deviation(const Tensor& input, const Dims& axes, double correction, bool keepdim) {
  return standard_deviation_and_mean(input, axes, correction, keepdim).spread;
}

SpreadAndMean variance_and_mean(const Tensor& input, const Dims& axes, double correction, bool keepdim) {
  Tensors found = apply(Variance(axes, correction, keepdim), {input});
  return {std::move(found[0]), std::move(found[1])};
}

SpreadAndMean standard_deviation_and_mean(const Tensor& input, const Dims& axes, double correction,
                                          bool keepdim) {
  Tensors found = apply(StandardDeviation(axes, correction, keepdim), {input});
  return {std::move(found[0]), std::move(found[1])};
}

}  // namespace espalier
