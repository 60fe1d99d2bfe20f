#include "ops/element_loss.h"

#include <string>

#include "ops/elementwise.h"
#include "ops/loss_internal.h"

namespace espalier {
namespace {

/// Checks predictions, targets and what else there is.
void check_elements(std::string_view name, Inputs inputs) {
  const Tensor& predictions = inputs[0];
  const Inputs pair = inputs.first(2);
  check_loss_type(name, predictions.dtype(), pair);
  if (predictions.dtype() != inputs[1].dtype())
    throw TypeError(name, "predictions and targets are " + describe(pair) + "; expected one type");
  if (predictions.shape() != inputs[1].shape())
    throw ShapeError(name, "predictions and targets are " + describe(pair) + "; expected one shape");
  if (inputs.size() < 3) return;
  if (predictions.dtype() != inputs[2].dtype())
    throw TypeError(name, "predictions, targets and weights are " + describe(inputs) + "; expected one type");
  if (broadcast_shapes(predictions.shape(), inputs[2].shape(), name) != predictions.shape()) {
    throw ShapeError(name, "predictions, targets and weights are " + describe(inputs) +
                               "; expected weights that broadcast to the predictions' shape");
  }
}

}  // namespace

void ElementLoss::infer(Inputs inputs, OutputSpecs& outputs) const {
  check_elements(name(), inputs);
  outputs.push_back(reduction_ == LossReduction::none ? elementwise_spec(name(), inputs, inputs[0].dtype())
                                                      : OutputSpec::fresh({}, inputs[0].dtype()));
}

Cost ElementLoss::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  return {3 * inputs[0].numel(), Operation::cost(inputs, outputs).bytes};
}

std::vector<AxisTie> ElementLoss::axis_ties(Inputs inputs) const {
  std::vector<AxisTie> ties = elementwise_ties(inputs);
  if (reduction_ == LossReduction::none) return ties;
  for (AxisTie& tie : ties) tie.axes.pop_back();  // the output's, which has none
  return ties;
}

void ElementLossBackward::infer(Inputs inputs, OutputSpecs& outputs) const {
  const Tensor& predictions = inputs[1];
  check_elements(name(), inputs.subspan(1));
  const Shape expected = reduction_ == LossReduction::none ? predictions.shape() : Shape();
  if (inputs[0].shape() != expected) {
    throw ShapeError(name(), "the loss's gradient is " + describe(inputs[0]) + " for predictions " +
                                 describe(predictions) + "; expected shape " + to_string(expected));
  }
  if (inputs[0].dtype() != predictions.dtype())
    throw TypeError(name(), "inputs are " + describe(inputs) + "; expected one type");
  outputs.push_back(elementwise_spec(name(), inputs.subspan(1), predictions.dtype()));
}

}  // namespace espalier
