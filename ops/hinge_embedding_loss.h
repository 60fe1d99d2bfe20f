#pragma once

#include "core/door.h"
#include "ops/element_loss.h"

namespace espalier {

/// x where the target is 1, max(0, margin - x) where it is -1, in one pass. The first input has a gradient.
class ESPALIER_API HingeEmbeddingLoss final : public OperationOf<HingeEmbeddingLoss, ElementLoss> {
 public:
  static constexpr std::string_view kName = "hinge_embedding_loss";
  static KernelSlot slot;

  explicit HingeEmbeddingLoss(double margin, LossReduction reduction = LossReduction::mean)
      : OperationOf(reduction), margin_(margin) {}
  double margin() const noexcept { return margin_; }
  Tensors backward(const BackwardContext& context) const override;
  Tensors decompose(Inputs inputs) const override;
  void visit_attributes(AttributeVisitor& visit) override {
    ElementLoss::visit_attributes(visit);
    visit("margin", margin_);
  }

 private:
  double margin_;
};

/// 1 where the target is 1; -1 where it is -1 and x <= margin; else 0; times the gradient of the term.
class ESPALIER_API HingeEmbeddingLossBackward final
    : public OperationOf<HingeEmbeddingLossBackward, ElementLossBackward> {
 public:
  static constexpr std::string_view kName = "hinge_embedding_loss_backward";
  static KernelSlot slot;

  explicit HingeEmbeddingLossBackward(double margin, LossReduction reduction = LossReduction::mean)
      : OperationOf(reduction), margin_(margin) {}
  double margin() const noexcept { return margin_; }
  void visit_attributes(AttributeVisitor& visit) override {
    ElementLossBackward::visit_attributes(visit);
    visit("margin", margin_);
  }

 private:
  double margin_;
};

struct MarginLossOptions {
  double margin = 0;
  LossReduction reduction = LossReduction::mean;
};

/// For distances x of pairs that belong together (target 1) or apart (-1): x and max(0, margin - x); the mean
/// over all elements, the sum, or the terms. Floating types. Throws ShapeError and TypeError where the two
/// differ, ValueError for a margin that is not finite and the first target that is neither 1 nor -1.
ESPALIER_API Tensor hinge_embedding_loss(const Tensor& distances, const Tensor& targets,
                                         const MarginLossOptions& options = {.margin = 1});

}  // namespace espalier
