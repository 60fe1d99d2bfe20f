#pragma once

#include <string>
#include <vector>

#include "ops/loss.h"
#include "tests/support/op_test.h"

namespace espalier::test {

/// log softmax of the last axis.
Array log_softmax_of(const Array& logits);

/// How a loss over classes is asked: the reference knows everything that cross-entropy and the negative
/// log-likelihood do.
struct ClassLoss {
  double smoothing = 0;
  int64_t ignored = -100;
  LossReduction reduction = LossReduction::mean;
};

/// The loss of log-probabilities [..., classes] against class indices [...] or probabilities (`mixed`), with
/// weights [classes], which may be empty.
Arrays class_loss_reference(const ClassLoss& loss, const Array& log_probabilities, const Array& targets,
                            bool mixed, const Array& weights);

/// Errors of targets and weights that do not fit; `run` is the loss without options or with weights.
std::vector<OpError> class_loss_errors(
    const std::string& name,
    const std::function<void(const Tensor& scores, const Tensor& targets, const Tensor& weight)>& run);

}  // namespace espalier::test
