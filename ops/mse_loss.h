#pragma once

#include "core/door.h"
#include "ops/mean_loss.h"

namespace espalier {

/// The mean squared error, mean((prediction - target)^2), in one pass. Both inputs have gradients.
class ESPALIER_API MseLoss final : public OperationOf<MseLoss, MeanLoss> {
 public:
  static constexpr std::string_view kName = "mse_loss";
  static KernelSlot slot;

  Tensors backward(const BackwardContext& context) const override;
  Tensors decompose(Inputs inputs) const override;
};

/// 2 (prediction - target) times the loss's gradient over the number of elements.
class ESPALIER_API MseLossBackward final : public OperationOf<MseLossBackward, MeanLossBackward> {
 public:
  static constexpr std::string_view kName = "mse_loss_backward";
  static KernelSlot slot;
};

/// The mean, over all elements, of (prediction - target)^2: the loss of regression. Floating types; converts
/// neither types nor shapes: throws TypeError and ShapeError where they differ.
ESPALIER_API Tensor mse_loss(const Tensor& predictions, const Tensor& targets);

}  // namespace espalier
