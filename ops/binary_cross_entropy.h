#pragma once

#include "core/door.h"
#include "ops/element_loss.h"

namespace espalier {

/// Binary cross-entropy between probabilities p and targets y, -(y log p + (1 - y) log(1 - p)), in one pass.
/// As in PyTorch, logarithms are at least -100, so that p = 0 and p = 1 give finite losses. Both inputs have
/// gradients.
class ESPALIER_API BinaryCrossEntropy final : public OperationOf<BinaryCrossEntropy, ElementLoss> {
 public:
  static constexpr std::string_view kName = "binary_cross_entropy";
  static KernelSlot slot;

  using OperationOf::OperationOf;
  Tensors backward(const BackwardContext& context) const override;
  Tensors decompose(Inputs inputs) const override;
};

/// (p - y) / max(p (1 - p), 1e-12), the slope that PyTorch gives, times the gradient of the term.
class ESPALIER_API BinaryCrossEntropyBackward final
    : public OperationOf<BinaryCrossEntropyBackward, ElementLossBackward> {
 public:
  static constexpr std::string_view kName = "binary_cross_entropy_backward";
  static KernelSlot slot;

  using OperationOf::OperationOf;
};

struct BinaryCrossEntropyOptions {
  Tensor weight =
      {};  ///< factors of the terms, which broadcast against them; the mean divides by their number
  LossReduction reduction = LossReduction::mean;
};

/// -(y log p + (1 - y) log(1 - p)) over probabilities p and targets y, both in [0, 1], safe at 0 and 1: the
/// mean over all elements, the sum, or the terms. For what comes out of a linear layer,
/// binary_cross_entropy_with_logits is more accurate. Floating types. Throws ShapeError and TypeError where
/// the two differ, ValueError for the first probability or target outside [0, 1]; NaN gives NaN. The second
/// derivative is that of probabilities kept 1e-12 from 0 and 1.
ESPALIER_API Tensor binary_cross_entropy(const Tensor& probabilities, const Tensor& targets,
                                         const BinaryCrossEntropyOptions& options = {});

}  // namespace espalier
