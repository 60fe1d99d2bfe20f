#pragma once

#include "ops/binary_cross_entropy.h"
#include "ops/binary_cross_entropy_with_logits.h"
#include "ops/cross_entropy.h"
#include "ops/mse_loss.h"

namespace espalier::nn {

// Losses as objects, for code that takes "some loss": each calls the function of the same name, which says
// what it takes and refuses.

/// Classification: logits [..., classes] against class indices [...].
struct CrossEntropy {
  Tensor operator()(const Tensor& logits, const Tensor& targets) const {
    return cross_entropy(logits, targets);
  }
};

/// Regression: mean squared error.
struct MeanSquaredError {
  Tensor operator()(const Tensor& predictions, const Tensor& targets) const {
    return mse_loss(predictions, targets);
  }
};

/// Yes or no, from probabilities.
struct BinaryCrossEntropy {
  Tensor operator()(const Tensor& probabilities, const Tensor& targets) const {
    return binary_cross_entropy(probabilities, targets);
  }
};

/// Yes or no, from logits: safe and accurate for any of them.
struct BinaryCrossEntropyWithLogits {
  Tensor operator()(const Tensor& logits, const Tensor& targets) const {
    return binary_cross_entropy_with_logits(logits, targets);
  }
};

}  // namespace espalier::nn
