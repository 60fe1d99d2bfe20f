#pragma once

#include "core/door.h"
#include "ops/element_loss.h"

namespace espalier {

/// The squared error, (prediction - target)^2, in one pass. Both inputs have gradients.
class ESPALIER_API MseLoss final : public OperationOf<MseLoss, ElementLoss> {
 public:
  static constexpr std::string_view kName = "mse_loss";
  static KernelSlot slot;

  using OperationOf::OperationOf;
  Tensors backward(const BackwardContext& context) const override;
  Tensors decompose(Inputs inputs) const override;
};

/// 2 (prediction - target) times the gradient of the term.
class ESPALIER_API MseLossBackward final : public OperationOf<MseLossBackward, ElementLossBackward> {
 public:
  static constexpr std::string_view kName = "mse_loss_backward";
  static KernelSlot slot;

  using OperationOf::OperationOf;
};

/// (prediction - target)^2, as the mean over all elements, their sum, or one by one: the loss of regression.
/// Floating types; converts neither types nor shapes: throws TypeError and ShapeError where they differ.
ESPALIER_API Tensor mse_loss(const Tensor& predictions, const Tensor& targets,
                             LossReduction reduction = LossReduction::mean);

}  // namespace espalier
