#pragma once

#include "core/door.h"
#include "ops/mean_loss.h"

namespace espalier {

/// Binary cross-entropy between probabilities p and targets y, -mean(y log p + (1 - y) log(1 - p)), in one
/// pass. As in PyTorch, logarithms are at least -100, so that p = 0 and p = 1 give finite losses. Both inputs
/// have gradients.
class ESPALIER_API BinaryCrossEntropy final : public OperationOf<BinaryCrossEntropy, MeanLoss> {
 public:
  static constexpr std::string_view kName = "binary_cross_entropy";
  static KernelSlot slot;

  Tensors backward(const BackwardContext& context) const override;
  Tensors decompose(Inputs inputs) const override;
};

/// (p - y) / max(p (1 - p), 1e-12), the slope that PyTorch gives, times the loss's gradient over the number
/// of elements.
class ESPALIER_API BinaryCrossEntropyBackward final
    : public OperationOf<BinaryCrossEntropyBackward, MeanLossBackward> {
 public:
  static constexpr std::string_view kName = "binary_cross_entropy_backward";
  static KernelSlot slot;
};

/// -mean(y log p + (1 - y) log(1 - p)) over probabilities p in [0, 1] and targets y, safe at 0 and 1; for
/// what comes out of a linear layer, binary_cross_entropy_with_logits is more accurate. Floating types.
/// Throws ShapeError and TypeError where the two differ, ValueError for a probability outside [0, 1]. The
/// second derivative is that of probabilities kept 1e-12 from 0 and 1.
ESPALIER_API Tensor binary_cross_entropy(const Tensor& probabilities, const Tensor& targets);

}  // namespace espalier
