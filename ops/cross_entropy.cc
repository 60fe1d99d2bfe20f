#include "ops/cross_entropy.h"

#include <ostream>
#include <string>

#include "ops/add.h"
#include "ops/cast.h"
#include "ops/class_loss_internal.h"
#include "ops/concat.h"
#include "ops/copy.h"
#include "ops/divide.h"
#include "ops/exp.h"
#include "ops/log.h"
#include "ops/max.h"
#include "ops/multiply.h"
#include "ops/negate.h"
#include "ops/reshape.h"
#include "ops/subtract.h"
#include "ops/sum.h"

namespace espalier {
namespace {

/// The shape of the rows; checks logits, targets and weights, if any.
Shape check_rows(std::string_view name, Inputs inputs, const Tensor& logits, const Tensor& targets,
                 const Tensor& weight) {
  if (!is_floating(targets.dtype())) {
    check_class_loss(name, inputs, logits, targets, weight);
    return targets.shape();
  }
  check_loss_type(name, logits.dtype(), inputs);
  if (targets.shape() != logits.shape() || logits.rank() == 0) {
    throw ShapeError(name, "logits are " + describe(logits) + " and targets " + describe(targets) +
                               "; expected probabilities [..., classes] as the logits, or class indices "
                               "[...] of type i32 or i64");
  }
  if (targets.dtype() != logits.dtype())
    throw TypeError(name, "logits and probabilities are " + describe(inputs) + "; expected one type");
  check_class_weight(name, inputs, logits, weight);
  Shape rows = logits.shape();
  rows.erase(rows.rank() - 1);
  return rows;
}

Tensor optional_input(Inputs inputs, size_t i) {
  return i < inputs.size() ? inputs[i] : Tensor();
}

/// Row statistics are kept in the type in which they are computed, two planes of the rows' shape.
OutputSpec statistics_spec(const Shape& rows, const Tensor& logits) {
  Shape shape = {2};
  for (const int64_t size : rows) shape.push_back(size);
  return OutputSpec::fresh(shape, logits.dtype() == Dtype::f64 ? Dtype::f64 : Dtype::f32);
}

/// log softmax from simple operations; nothing flows through what is subtracted, on which it does not depend.
Tensor log_softmax_of(const Tensor& logits, Tensor& top, Tensor& log_sum) {
  top = max(logits.detach(), {-1}, true);
  const Tensor shifted = logits - top;
  log_sum = log(sum(exp(shifted), {-1}, true));
  return shifted - log_sum;
}

/// The gradient with respect to probabilities: -(1 - smoothing) w log p times the gradient of the row's term.
Tensor target_gradient(const CrossEntropyRule& rule, const BackwardContext& context) {
  const Tensor& logits = context.input(0);
  Tensor top, log_sum;
  Tensor slope = log_softmax_of(logits, top, log_sum) * (rule.label_smoothing - 1);
  if (context.input_count() > 2) slope = slope * context.input(2);
  const Tensor& gradient = context.gradient(0);
  if (rule.reduction == LossReduction::none) return slope * unsqueeze(gradient, -1);
  return slope * term_gradient(gradient, rule.reduction, logits.numel() / logits.shape().back());
}

}  // namespace

void visit_options(AttributeVisitor& visit, CrossEntropyRule& rule) {
  visit("label_smoothing", rule.label_smoothing);
  visit("ignore_index", rule.ignore_index);
  visit("reduction", rule.reduction);
}

void CrossEntropy::infer(Inputs inputs, OutputSpecs& outputs) const {
  const Shape rows = check_rows(kName, inputs, inputs[0], inputs[1], optional_input(inputs, 2));
  const Shape shape = rule_.reduction == LossReduction::none ? rows : Shape();
  outputs.push_back(OutputSpec::fresh(shape, inputs[0].dtype()));
  outputs.push_back(statistics_spec(rows, inputs[0]));
  outputs.push_back(OutputSpec::fresh({}, Dtype::f64));
}

Tensors CrossEntropy::backward(const BackwardContext& context) const {
  Tensors gradients(static_cast<size_t>(context.input_count()));
  if (context.wants(0)) {
    Tensors inputs = {context.gradient(0), context.input(0), context.input(1), context.output(1),
                      context.output(2)};
    if (context.input_count() > 2) inputs.push_back(context.input(2));
    gradients[0] = apply(CrossEntropyBackward(rule_), Inputs(inputs))[0];
  }
  if (context.wants(1)) gradients[1] = target_gradient(rule_, context);
  return gradients;
}

Tensors CrossEntropy::decompose(Inputs inputs) const {
  const Tensor &logits = inputs[0], &targets = inputs[1], weight = optional_input(inputs, 2);
  const int64_t classes = logits.shape().back();
  const double kept = 1 - rule_.label_smoothing, share = rule_.label_smoothing / static_cast<double>(classes);
  Tensor top, log_sum;
  const Tensor log_p = log_softmax_of(logits, top, log_sum);
  Tensor q, divisor;
  if (is_floating(targets.dtype())) {
    q = targets * kept + share;
    if (weight.defined()) q = q * weight;
    const int64_t rows = logits.numel() / std::max<int64_t>(classes, 1);
    divisor = full({}, static_cast<double>(rows), logits.dtype(), logits.device());
  } else {
    const Tensor chosen = weighted_one_hot(targets, weight, rule_.ignore_index, classes, logits.dtype());
    divisor = sum(chosen);
    q = chosen * kept;
    if (share > 0) {
      const Tensor taken =
          sum(weighted_one_hot(targets, {}, rule_.ignore_index, classes, logits.dtype()), {-1}, true);
      q = q + (weight.defined() ? taken * weight : taken) * share;
    }
  }
  const Tensor terms = -sum(q * log_p, {-1});
  const bool mean = rule_.reduction == LossReduction::mean;
  const Tensor statistics = cast(concat({unsqueeze(squeeze(top, -1), 0), unsqueeze(squeeze(log_sum, -1), 0)}),
                                 logits.dtype() == Dtype::f64 ? Dtype::f64 : Dtype::f32);
  return {mean ? sum(terms) / divisor : reduced_loss(terms, rule_.reduction), statistics,
          cast(divisor, Dtype::f64)};
}

Cost CrossEntropy::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  // A comparison, a subtraction, an exponential and an addition for each logit.
  return {4 * inputs[0].numel(), Operation::cost(inputs, outputs).bytes};
}

void CrossEntropyBackward::infer(Inputs inputs, OutputSpecs& outputs) const {
  const Tensor& logits = inputs[1];
  const Shape rows = check_rows(kName, inputs, logits, inputs[2], optional_input(inputs, 5));
  const OutputSpec statistics = statistics_spec(rows, logits);
  const Shape expected = rule_.reduction == LossReduction::none ? rows : Shape();
  if (inputs[0].shape() != expected || inputs[0].dtype() != logits.dtype() || inputs[4].rank() != 0 ||
      inputs[3].shape() != statistics.shape || inputs[3].dtype() != statistics.dtype) {
    throw ShapeError(kName, "inputs are " + describe(inputs) + "; expected a gradient " +
                                to_string(expected) + ", logits, targets, statistics " +
                                to_string(statistics.shape) + " and a divisor");
  }
  outputs.push_back(OutputSpec::fresh(logits.shape(), logits.dtype()));
}

Cost CrossEntropyBackward::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  return {4 * inputs[1].numel(), Operation::cost(inputs, outputs).bytes};
}

Tensor cross_entropy(const Tensor& logits, const Tensor& targets, const CrossEntropyOptions& options) {
  const double smoothing = options.label_smoothing;
  if (!(smoothing >= 0 && smoothing <= 1)) {
    throw ValueError(CrossEntropy::kName,
                     "label_smoothing " + std::to_string(smoothing) + ": expected a number from 0 to 1");
  }
  const Tensor x = classes_last(CrossEntropy::kName, logits, options.class_axis);
  check_defined(CrossEntropy::kName, targets);
  // Probabilities of another shape are refused as they are.
  const bool alike = is_floating(targets.dtype()) && targets.shape() == logits.shape();
  const Tensor t =
      alike ? classes_last(CrossEntropy::kName, targets, options.class_axis) : contiguous(targets);
  const Tensor weight = class_weight(CrossEntropy::kName, options.weight);
  const CrossEntropy loss({smoothing, options.ignore_index, options.reduction});
  return weight.defined() ? apply(loss, {x, t, weight})[0] : apply(loss, {x, t})[0];
}

}  // namespace espalier
