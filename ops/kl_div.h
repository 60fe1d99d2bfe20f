#pragma once

#include "core/door.h"
#include "ops/element_loss.h"

namespace espalier {

/// The terms t (log t - x) of the Kullback-Leibler divergence of a model's log-probabilities x from
/// probabilities t, in one pass; a target of 0 adds -0 x. With `log_target` the targets are log t. Both
/// inputs have gradients.
class ESPALIER_API KlDiv final : public OperationOf<KlDiv, ElementLoss> {
 public:
  static constexpr std::string_view kName = "kl_div";
  static KernelSlot slot;

  explicit KlDiv(bool log_target, LossReduction reduction = LossReduction::mean)
      : OperationOf(reduction), log_target_(log_target) {}
  bool log_target() const noexcept { return log_target_; }
  Tensors backward(const BackwardContext& context) const override;
  Tensors decompose(Inputs inputs) const override;
  void visit_attributes(AttributeVisitor& visit) override {
    ElementLoss::visit_attributes(visit);
    visit("log_target", log_target_);
  }

 private:
  bool log_target_;
};

/// -t times the gradient of the term.
class ESPALIER_API KlDivBackward final : public OperationOf<KlDivBackward, ElementLossBackward> {
 public:
  static constexpr std::string_view kName = "kl_div_backward";
  static KernelSlot slot;

  explicit KlDivBackward(bool log_target, LossReduction reduction = LossReduction::mean)
      : OperationOf(reduction), log_target_(log_target) {}
  bool log_target() const noexcept { return log_target_; }
  void visit_attributes(AttributeVisitor& visit) override {
    ElementLossBackward::visit_attributes(visit);
    visit("log_target", log_target_);
  }

 private:
  bool log_target_;
};

struct KlDivOptions {
  bool log_target = false;  ///< the targets are log-probabilities, too
  LossReduction reduction = LossReduction::mean;
};

/// t (log t - x), element by element, of log-probabilities x and probabilities t: the mean over all elements,
/// the sum, or the terms. The divergence that textbooks define is the sum divided by the number of rows (what
/// PyTorch calls `batchmean`):
///
///   const Tensor loss = kl_div(x, t, {.reduction = LossReduction::sum}) / x.size(0);
///
/// As in PyTorch, a negative probability gives NaN, and so does t = 0 against x = -infinity. Floating types;
/// throws TypeError and ShapeError where the two differ.
ESPALIER_API Tensor kl_div(const Tensor& log_probabilities, const Tensor& targets,
                           const KlDivOptions& options = {});

}  // namespace espalier
