#include "ops/batch_norm.h"

#include <cmath>
#include <string>

#include "core/error.h"
#include "ops/add.h"
#include "ops/cast.h"
#include "ops/divide.h"
#include "ops/mean.h"
#include "ops/multiply.h"
#include "ops/norm_internal.h"
#include "ops/reshape.h"
#include "ops/sqrt.h"
#include "ops/subtract.h"

namespace espalier {
namespace {

enum : int { kX, kWeight, kBias, kRunningMean, kRunningVar, kInputCount };

/// The type in which statistics are kept: wide enough for the sums of a batch.
Dtype statistics_dtype(Dtype dtype) {
  return dtype == Dtype::f64 ? Dtype::f64 : Dtype::f32;
}

/// `parameter` has one number a channel of `x`, in its type or in f32.
void check_parameter(std::string_view name, Inputs inputs, const Tensor& parameter, const Tensor& x,
                     const char* role) {
  if (!parameter.defined()) return;
  if (parameter.rank() != 1 || parameter.shape()[0] != x.shape()[1]) {
    throw ShapeError(name, std::string(role) + " is " + describe(parameter) + "; expected [" +
                               std::to_string(x.shape()[1]) + "], the size of axis 1 (inputs " +
                               describe(inputs) + ")");
  }
  if (parameter.dtype() != x.dtype() && parameter.dtype() != Dtype::f32) {
    throw TypeError(name, std::string(role) + " is " + describe(parameter) + "; expected " +
                              std::string(to_string(x.dtype())) + " or f32 (inputs " + describe(inputs) +
                              ")");
  }
}

OutputSpec same_layout(const Tensor& x) {
  return is_dense(x.shape(), x.strides()) ? OutputSpec::fresh(x.shape(), x.strides(), x.dtype())
                                          : OutputSpec::fresh(x.shape(), x.dtype());
}

}  // namespace

void BatchNorm::infer(Inputs inputs, OutputSpecs& outputs) const {
  const Tensor& x = inputs[kX];
  check_channels(kName, inputs, x);
  check_parameter(kName, inputs, inputs[kWeight], x, "weight");
  check_parameter(kName, inputs, inputs[kBias], x, "bias");
  check_parameter(kName, inputs, inputs[kRunningMean], x, "running_mean");
  check_parameter(kName, inputs, inputs[kRunningVar], x, "running_var");
  const bool running = inputs[kRunningMean].defined();
  if (running != inputs[kRunningVar].defined()) {
    throw ValueError(
        kName, "running_mean and running_var come together or not at all (inputs " + describe(inputs) + ")");
  }
  if (!options_.training && !running)
    throw ValueError(kName, "evaluation needs running statistics (inputs " + describe(inputs) + ")");
  if (options_.training && x.shape()[1] > 0 && x.numel() == x.shape()[1]) {
    throw ValueError(kName, "training needs more than one value a channel (inputs " + describe(inputs) + ")");
  }
  if (!(std::isfinite(options_.eps) && options_.eps >= 0))
    throw ValueError(kName, "eps is " + std::to_string(options_.eps) + "; expected a number from 0 up");
  if (!(options_.momentum >= 0 && options_.momentum <= 1))
    throw ValueError(kName, "momentum is " + std::to_string(options_.momentum) + "; expected 0 to 1");

  outputs.push_back(same_layout(x));
  outputs.push_back(OutputSpec::fresh({2, x.shape()[1]}, statistics_dtype(x.dtype())));
  if (options_.training && running) {
    outputs.push_back(OutputSpec::update(kRunningMean, inputs[kRunningMean]));
    outputs.push_back(OutputSpec::update(kRunningVar, inputs[kRunningVar]));
  }
}

SavedForBackward BatchNorm::saved_for_backward() const {
  // The running statistics only where they were read: training changes them again before backward comes.
  constexpr uint32_t kAlways = 1u << kX | 1u << kWeight | 1u << kBias;
  constexpr uint32_t kRunning = 1u << kRunningMean | 1u << kRunningVar;
  return {.inputs = options_.training ? kAlways : kAlways | kRunning, .outputs = 1u << 1};
}

Tensors BatchNorm::backward(const BackwardContext& context) const {
  Tensors gradients(kInputCount);
  const bool input = context.wants(kX);
  if (input || context.wants(kWeight) || context.wants(kBias)) {
    const Tensors found =
        apply(BatchNormBackward(options_.training, input),
              {context.gradient(0), context.input(kX), context.input(kWeight), context.output(1)});
    if (context.wants(kWeight)) gradients[kWeight] = found[0];
    if (context.wants(kBias)) gradients[kBias] = cast(found[1], context.input_dtype(kBias));
    if (input) gradients[kX] = found[2];
  }
  return gradients;
}

Tensors BatchNorm::decompose(Inputs inputs) const {
  const Tensor& x = inputs[kX];
  Tensor centred, variance;
  if (options_.training) {
    Dims axes;
    for (int axis = 0; axis < x.rank(); ++axis) {
      if (axis != 1) axes.push_back(axis);
    }
    centred = x - mean(x, axes, true);
    variance = mean(centred * centred, axes, true);
  } else {
    centred = x - cast(along_channels(inputs[kRunningMean], x.rank()), x.dtype());
    variance = cast(along_channels(inputs[kRunningVar], x.rank()), x.dtype());
  }
  Tensor y = centred / sqrt(variance + options_.eps);
  if (inputs[kWeight].defined()) y = y * cast(along_channels(inputs[kWeight], x.rank()), x.dtype());
  if (inputs[kBias].defined()) y = y + cast(along_channels(inputs[kBias], x.rank()), x.dtype());
  return {y};
}

Cost BatchNorm::cost(Inputs inputs, std::span<const OutputSpec>) const {
  const Tensor& x = inputs[kX];
  // Forward reads x twice (statistics, normalisation) where the batch's own statistics are used.
  const int64_t element = static_cast<int64_t>(size_of(x.dtype()));
  return {(options_.training ? 7 : 3) * x.numel(), (options_.training ? 3 : 2) * x.numel() * element};
}

std::vector<AxisTie> BatchNorm::axis_ties(Inputs inputs) const {
  std::vector<AxisTie> ties;
  for (int axis = 0; axis < inputs[kX].rank(); ++axis)
    ties.push_back({{{kX, axis}, {-1, axis}}, options_.training && axis != 1});
  std::vector<AxisTie::Axis>& channels = ties[1].axes;
  for (int i = kWeight; i < kInputCount; ++i) {
    if (inputs[static_cast<size_t>(i)].defined()) channels.push_back({i, 0});
  }
  channels.push_back({-2, 1});
  if (options_.training && inputs[kRunningMean].defined()) {
    channels.push_back({-3, 0});
    channels.push_back({-4, 0});
  }
  return ties;
}

void BatchNormBackward::infer(Inputs inputs, OutputSpecs& outputs) const {
  const Tensor &gradient = inputs[0], &x = inputs[1], &weight = inputs[2], &statistics = inputs[3];
  check_channels(kName, inputs, x);
  check_parameter(kName, inputs, weight, x, "weight");
  if (!gradient.defined() || gradient.shape() != x.shape() || gradient.dtype() != x.dtype()) {
    throw ShapeError(kName, "the gradient is " + describe(gradient) + "; expected " + describe(x) +
                                " (inputs " + describe(inputs) + ")");
  }
  if (!statistics.defined() || statistics.shape() != Shape{2, x.shape()[1]} ||
      statistics.dtype() != statistics_dtype(x.dtype()) || !statistics.is_contiguous()) {
    throw ShapeError(kName, "the statistics are " + describe(statistics) + "; expected [2, " +
                                std::to_string(x.shape()[1]) + "] (inputs " + describe(inputs) + ")");
  }
  const Dtype parameter = weight.defined() ? weight.dtype() : statistics.dtype();
  outputs.push_back(OutputSpec::fresh({x.shape()[1]}, parameter));
  outputs.push_back(OutputSpec::fresh({x.shape()[1]}, parameter));
  if (wants_input_) outputs.push_back(same_layout(x));
}

Tensor batch_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& running_mean,
                  const Tensor& running_var, const BatchNormOptions& options) {
  return apply_one(BatchNorm(options), x, weight, bias, running_mean, running_var);
}

}  // namespace espalier
