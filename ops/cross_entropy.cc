#include "ops/cross_entropy.h"

#include "ops/add.h"
#include "ops/class_indices_internal.h"
#include "ops/copy.h"
#include "ops/exp.h"
#include "ops/log.h"
#include "ops/loss_internal.h"
#include "ops/max.h"
#include "ops/mean.h"
#include "ops/multiply.h"
#include "ops/one_hot.h"
#include "ops/subtract.h"
#include "ops/sum.h"

namespace espalier {
namespace {

/// The shape of the targets that logits need; checks what there is.
void check_rows(std::string_view name, Inputs inputs, const Tensor& logits, const Tensor& targets) {
  check_loss_type(name, logits.dtype(), inputs);
  check_index_type(name, targets);
  Shape rows = logits.shape();
  if (!rows.empty()) rows.erase(rows.rank() - 1);
  if (logits.rank() == 0 || targets.shape() != rows) {
    throw ShapeError(name, "logits are " + describe(logits) + " and targets " + describe(targets) +
                               "; expected [..., classes] and [...]");
  }
}

/// Log-sum-exps are kept in the type in which they are computed.
Dtype sum_type(const Tensor& logits) {
  return logits.dtype() == Dtype::f64 ? Dtype::f64 : Dtype::f32;
}

}  // namespace

void CrossEntropy::infer(Inputs inputs, OutputSpecs& outputs) const {
  check_rows(kName, inputs, inputs[0], inputs[1]);
  outputs.push_back(OutputSpec::fresh({}, inputs[0].dtype()));
  outputs.push_back(OutputSpec::fresh(inputs[1].shape(), sum_type(inputs[0])));
}

Tensors CrossEntropy::backward(const BackwardContext& context) const {
  return {apply_one(CrossEntropyBackward(), context.gradient(0), context.input(0), context.input(1),
                    context.output(1)),
          Tensor()};
}

Tensors CrossEntropy::decompose(Inputs inputs) const {
  const Tensor& logits = inputs[0];
  // The result does not depend on what is subtracted, so no gradient flows through it.
  const Tensor top = max(logits.detach(), {-1}, true);
  const Tensor log_sums = sum(log(sum(exp(logits - top), {-1}, true)) + top, {-1});
  const Tensor chosen = sum(logits * one_hot(inputs[1], logits.shape().back(), logits.dtype()), {-1});
  return {mean(log_sums - chosen), log_sums};
}

Cost CrossEntropy::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  // A comparison, a subtraction, an exponential and an addition for each logit.
  return {4 * inputs[0].numel(), Operation::cost(inputs, outputs).bytes};
}

void CrossEntropyBackward::infer(Inputs inputs, OutputSpecs& outputs) const {
  const Tensor& logits = inputs[1];
  check_rows(kName, inputs, logits, inputs[2]);
  const Tensor& log_sums = inputs[3];
  if (inputs[0].rank() != 0 || log_sums.shape() != inputs[2].shape()) {
    throw ShapeError(kName, "inputs are " + describe(inputs) +
                                "; expected gradient [], logits [..., classes], targets and sums [...]");
  }
  if (inputs[0].dtype() != logits.dtype() || log_sums.dtype() != sum_type(logits)) {
    throw TypeError(kName, "inputs are " + describe(inputs) +
                               "; expected a gradient of the logits' type and sums of type " +
                               std::string(to_string(sum_type(logits))));
  }
  outputs.push_back(OutputSpec::fresh(logits.shape(), logits.dtype()));
}

Cost CrossEntropyBackward::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  return {3 * inputs[1].numel(), Operation::cost(inputs, outputs).bytes};
}

Tensor cross_entropy(const Tensor& logits, const Tensor& targets) {
  check_defined(CrossEntropy::kName, logits);
  check_defined(CrossEntropy::kName, targets);
  return apply(CrossEntropy(), {contiguous(logits), contiguous(targets)})[0];
}

}  // namespace espalier
