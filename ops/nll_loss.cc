#include "ops/nll_loss.h"

#include <string>

#include "ops/class_indices_internal.h"
#include "ops/class_loss_internal.h"
#include "ops/copy.h"

namespace espalier {

void NllLoss::infer(Inputs inputs, OutputSpecs& outputs) const {
  check_class_loss(kName, inputs, inputs[0], inputs[1], inputs.size() > 2 ? inputs[2] : Tensor());
  const Shape shape = reduction_ == LossReduction::none ? inputs[1].shape() : Shape();
  outputs.push_back(OutputSpec::fresh(shape, inputs[0].dtype()));
  outputs.push_back(OutputSpec::fresh({}, Dtype::f64));
}

Tensors NllLoss::backward(const BackwardContext& context) const {
  const NllLossBackward backward(context.input_shape(0).back(), ignore_index_, reduction_);
  Tensors gradients(static_cast<size_t>(context.input_count()));
  gradients[0] =
      context.input_count() > 2
          ? apply_one(backward, context.gradient(0), context.input(1), context.output(1), context.input(2))
          : apply_one(backward, context.gradient(0), context.input(1), context.output(1));
  return gradients;
}

void NllLossBackward::infer(Inputs inputs, OutputSpecs& outputs) const {
  check_index_type(kName, inputs[1]);
  const Shape expected = reduction_ == LossReduction::none ? inputs[1].shape() : Shape();
  if (inputs[0].shape() != expected || inputs[2].rank() != 0 ||
      (inputs.size() > 3 && inputs[3].shape() != Shape{classes_})) {
    throw ShapeError(kName, "inputs are " + describe(inputs) + "; expected a gradient " +
                                to_string(expected) + ", targets, a divisor and [" +
                                std::to_string(classes_) + "] weights");
  }
  Shape shape = inputs[1].shape();
  shape.push_back(classes_);
  checked_count(shape, kName);
  outputs.push_back(OutputSpec::fresh(shape, inputs[0].dtype()));
}

Tensors NllLossBackward::backward(const BackwardContext& context) const {
  const NllLoss loss(ignore_index_, reduction_);
  const Tensor gradient = contiguous(context.gradient(0));
  Tensors gradients(static_cast<size_t>(context.input_count()));
  gradients[0] = context.input_count() > 3 ? apply(loss, {gradient, context.input(1), context.input(3)})[0]
                                           : apply(loss, {gradient, context.input(1)})[0];
  return gradients;
}

Tensor nll_loss(const Tensor& log_probabilities, const Tensor& targets, const NllLossOptions& options) {
  const Tensor x = classes_last(NllLoss::kName, log_probabilities, options.class_axis);
  check_defined(NllLoss::kName, targets);
  const NllLoss loss(options.ignore_index, options.reduction);
  const Tensor weight = class_weight(NllLoss::kName, options.weight);
  return weight.defined() ? apply(loss, {x, contiguous(targets), weight})[0]
                          : apply(loss, {x, contiguous(targets)})[0];
}

}  // namespace espalier
