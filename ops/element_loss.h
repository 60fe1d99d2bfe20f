#pragma once

#include "core/operation.h"
#include "ops/loss.h"

namespace espalier {

/// What losses have in common whose terms are a function of a prediction and a target of the same shape and
/// type (f64, f32, f16 or bf16); a third input, where a loss takes one, broadcasts against them. The mean and
/// the sum have no axes. The shapes of predictions and targets do not broadcast: where they differ, something
/// was forgotten.
class ESPALIER_API ElementLoss : public Operation {
 public:
  explicit ElementLoss(LossReduction reduction = LossReduction::mean) : reduction_(reduction) {}

  LossReduction reduction() const noexcept { return reduction_; }

  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  bool decomposable() const override { return true; }
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
  void visit_attributes(AttributeVisitor& visit) override { visit("reduction", reduction_); }
  AutocastRule autocast_rule() const override { return AutocastRule::widen; }

 private:
  LossReduction reduction_;
};

/// The gradient of such a loss with respect to the predictions. Inputs: the loss's gradient, predictions,
/// targets and, where there is a mean or a sum, the third input. Second derivatives are taken of the loss's
/// decomposition.
class ESPALIER_API ElementLossBackward : public Operation {
 public:
  explicit ElementLossBackward(LossReduction reduction = LossReduction::mean) : reduction_(reduction) {}

  LossReduction reduction() const noexcept { return reduction_; }

  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  void visit_attributes(AttributeVisitor& visit) override { visit("reduction", reduction_); }

 private:
  LossReduction reduction_;
};

}  // namespace espalier
