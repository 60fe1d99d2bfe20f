#include "ops/mean_loss.h"

#include "ops/loss_internal.h"

namespace espalier {
namespace {

void check_pair(std::string_view name, const Tensor& predictions, const Tensor& targets) {
  const Tensor pair[] = {predictions, targets};
  check_loss_type(name, predictions.dtype(), pair);
  if (predictions.dtype() != targets.dtype())
    throw TypeError(name, "predictions and targets are " + describe(pair) + "; expected one type");
  if (predictions.shape() != targets.shape())
    throw ShapeError(name, "predictions and targets are " + describe(pair) + "; expected one shape");
}

}  // namespace

void MeanLoss::infer(Inputs inputs, OutputSpecs& outputs) const {
  check_pair(name(), inputs[0], inputs[1]);
  outputs.push_back(OutputSpec::fresh({}, inputs[0].dtype()));
}

Cost MeanLoss::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  return {3 * inputs[0].numel(), Operation::cost(inputs, outputs).bytes};
}

void MeanLossBackward::infer(Inputs inputs, OutputSpecs& outputs) const {
  const Tensor& predictions = inputs[1];
  check_pair(name(), predictions, inputs[2]);
  if (inputs[0].rank() != 0)
    throw ShapeError(name(), "the loss's gradient is " + describe(inputs[0]) + "; expected no axes");
  if (inputs[0].dtype() != predictions.dtype())
    throw TypeError(name(), "inputs are " + describe(inputs) + "; expected one type");
  outputs.push_back(is_dense(predictions.shape(), predictions.strides())
                        ? OutputSpec::fresh(predictions.shape(), predictions.strides(), predictions.dtype())
                        : OutputSpec::fresh(predictions.shape(), predictions.dtype()));
}

}  // namespace espalier
