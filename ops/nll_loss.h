#pragma once

#include "core/door.h"
#include "ops/loss.h"

namespace espalier {

/// -w[t] x[t] for log-probabilities x over classes and a class index t, 0 where t is the ignored one: inputs
/// x [..., classes], t [...] and perhaps the classes' weights. The second output is what a mean divides by:
/// the sum of w[t] over what is not ignored, f64 without axes.
class ESPALIER_API NllLoss final : public OperationOf<NllLoss> {
 public:
  static constexpr std::string_view kName = "nll_loss";
  static KernelSlot slot;

  NllLoss(int64_t ignore_index, LossReduction reduction)
      : ignore_index_(ignore_index), reduction_(reduction) {}
  int64_t ignore_index() const noexcept { return ignore_index_; }
  LossReduction reduction() const noexcept { return reduction_; }

  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0b110, .outputs = 0b10}; }
  bool differentiable(int output) const override { return output == 0; }
  void visit_attributes(AttributeVisitor& visit) override {
    visit("ignore_index", ignore_index_);
    visit("reduction", reduction_);
  }

 private:
  int64_t ignore_index_;
  LossReduction reduction_;
};

/// The gradient with respect to the log-probabilities: -w[t] times the gradient of the term, at class t.
/// Inputs: the loss's gradient, targets, what the mean divides by, perhaps weights.
class ESPALIER_API NllLossBackward final : public OperationOf<NllLossBackward> {
 public:
  static constexpr std::string_view kName = "nll_loss_backward";
  static KernelSlot slot;

  NllLossBackward(int64_t classes, int64_t ignore_index, LossReduction reduction)
      : classes_(classes), ignore_index_(ignore_index), reduction_(reduction) {}
  int64_t ignore_index() const noexcept { return ignore_index_; }
  LossReduction reduction() const noexcept { return reduction_; }

  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0b1010, .outputs = 0}; }
  void visit_attributes(AttributeVisitor& visit) override {
    visit("classes", classes_);
    visit("ignore_index", ignore_index_);
    visit("reduction", reduction_);
  }

 private:
  int64_t classes_;
  int64_t ignore_index_;
  LossReduction reduction_;
};

struct NllLossOptions {
  Tensor weight = {};                             ///< [classes], of the log-probabilities' type; a constant
  int64_t ignore_index = -100;                    ///< targets of this value count for nothing
  LossReduction reduction = LossReduction::mean;  ///< the mean divides by the sum of the targets' weights
  int64_t class_axis = -1;                        ///< 1 for [N, classes, ...]
};

/// The negative log-likelihood -x[t] of targets t, i32 or i64, under log-probabilities x, floating, of shape
/// [..., classes] with targets [...], or with the classes along another axis. Without weights, and with
/// nothing ignored, the mean is over all rows; where all is ignored or weighs nothing it is NaN, as in
/// PyTorch. Throws ShapeError and TypeError where the inputs do not fit, ValueError for the first target
/// outside [0, classes) that is not the ignored one, GradientError for weights that require a gradient.
ESPALIER_API Tensor nll_loss(const Tensor& log_probabilities, const Tensor& targets,
                             const NllLossOptions& options = {});

}  // namespace espalier
