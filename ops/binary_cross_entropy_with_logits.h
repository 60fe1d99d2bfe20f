#pragma once

#include "core/door.h"
#include "ops/element_loss.h"

namespace espalier {

/// Binary cross-entropy between the probabilities sigmoid(x) and targets y, with the factor p, if any, of the
/// terms of y: (1 - y) max(x, 0) + p y max(-x, 0) + (1 - y + p y) log(1 + e^-|x|), in one pass. Inputs: x, y
/// and perhaps p, which broadcasts against them. All have gradients.
class ESPALIER_API BinaryCrossEntropyWithLogits final
    : public OperationOf<BinaryCrossEntropyWithLogits, ElementLoss> {
 public:
  static constexpr std::string_view kName = "binary_cross_entropy_with_logits";
  static KernelSlot slot;

  using OperationOf::OperationOf;
  Tensors backward(const BackwardContext& context) const override;
  Tensors decompose(Inputs inputs) const override;
};

/// sigmoid(x) - y, or (1 - y) sigmoid(x) - p y sigmoid(-x), times the gradient of the term.
class ESPALIER_API BinaryCrossEntropyWithLogitsBackward final
    : public OperationOf<BinaryCrossEntropyWithLogitsBackward, ElementLossBackward> {
 public:
  static constexpr std::string_view kName = "binary_cross_entropy_with_logits_backward";
  static KernelSlot slot;

  using OperationOf::OperationOf;
};

struct BinaryCrossEntropyWithLogitsOptions {
  Tensor weight =
      {};  ///< factors of the terms, which broadcast against them; the mean divides by their number
  Tensor pos_weight = {};  ///< factors of y log sigmoid(x), which broadcast: against rare positives, say
  LossReduction reduction = LossReduction::mean;
};

/// -(p y log sigmoid(x) + (1 - y) log(1 - sigmoid(x))) for logits x, targets y and weights p of the positive
/// class: the mean over all elements, the sum, or the terms. Accurate for any finite x; an infinite one gives
/// infinity where it is certain and wrong, and NaN where it is right. Targets are not checked: any number
/// goes into the formula. Floating types; throws ShapeError and TypeError where they do not fit.
ESPALIER_API Tensor binary_cross_entropy_with_logits(const Tensor& logits, const Tensor& targets,
                                                     const BinaryCrossEntropyWithLogitsOptions& options = {});

}  // namespace espalier
