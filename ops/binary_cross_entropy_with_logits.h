#pragma once

#include "core/door.h"
#include "ops/mean_loss.h"

namespace espalier {

/// Binary cross-entropy between the probabilities sigmoid(x) and targets y, in one pass and safe at any x:
/// the mean of max(x, 0) - x y + log(1 + e^-|x|). Both inputs have gradients.
class ESPALIER_API BinaryCrossEntropyWithLogits final
    : public OperationOf<BinaryCrossEntropyWithLogits, MeanLoss> {
 public:
  static constexpr std::string_view kName = "binary_cross_entropy_with_logits";
  static KernelSlot slot;

  Tensors backward(const BackwardContext& context) const override;
  Tensors decompose(Inputs inputs) const override;
};

/// (sigmoid(x) - y) times the loss's gradient over the number of elements.
class ESPALIER_API BinaryCrossEntropyWithLogitsBackward final
    : public OperationOf<BinaryCrossEntropyWithLogitsBackward, MeanLossBackward> {
 public:
  static constexpr std::string_view kName = "binary_cross_entropy_with_logits_backward";
  static KernelSlot slot;
};

/// -mean(y log p + (1 - y) log(1 - p)) with p = sigmoid(x), for logits x and targets y. Floating types;
/// throws ShapeError and TypeError where the two differ.
ESPALIER_API Tensor binary_cross_entropy_with_logits(const Tensor& logits, const Tensor& targets);

}  // namespace espalier
