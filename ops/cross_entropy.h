#pragma once

#include "core/door.h"
#include "ops/loss.h"

namespace espalier {

/// What cross-entropy does besides comparing: an operation's attributes.
struct CrossEntropyRule {
  double label_smoothing = 0;
  int64_t ignore_index = -100;
  LossReduction reduction = LossReduction::mean;
};
ESPALIER_API void visit_options(AttributeVisitor& visit, CrossEntropyRule& rule);

/// Cross-entropy between softmax(logits) and targets, in one pass over the logits: with log p = x - max - log
/// sum exp(x - max) and the classes' weights w, the sum over the classes of -q log p, where q is w t' for
/// targets that are probabilities t, smoothed to t' = (1 - s) t + s / classes, and (1 - s) w[t] [class = t] +
/// s w / classes for a class index t. Inputs: logits [..., classes], class indices [...] (i32, i64) or
/// probabilities [..., classes], perhaps weights [classes]. Outputs for the backward, f32 or f64: each row's
/// maximum and logarithm of the sum, [2, ...], and, f64 without axes, what a mean divides by: the sum of the
/// weights of the class indices that are not ignored, or the number of rows of probabilities. Probabilities
/// below the smallest normal number (1.2e-38 in f32) may count as 0, here and in the gradient.
class ESPALIER_API CrossEntropy final : public OperationOf<CrossEntropy> {
 public:
  static constexpr std::string_view kName = "cross_entropy";
  static KernelSlot slot;

  AutocastRule autocast_rule() const override { return AutocastRule::widen; }
  explicit CrossEntropy(const CrossEntropyRule& rule = {}) : rule_(rule) {}
  const CrossEntropyRule& rule() const noexcept { return rule_; }

  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0b111, .outputs = 0b110}; }
  bool differentiable(int output) const override { return output == 0; }
  bool decomposable() const override { return true; }
  Tensors decompose(Inputs inputs) const override;
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
  void visit_attributes(AttributeVisitor& visit) override { visit_options(visit, rule_); }

 private:
  CrossEntropyRule rule_;
};

/// The gradient of CrossEntropy with respect to the logits: (p sum(q) - q) times the gradient of the row's
/// term. Inputs: the loss's gradient, logits, targets, both further outputs, perhaps weights.
class ESPALIER_API CrossEntropyBackward final : public OperationOf<CrossEntropyBackward> {
 public:
  static constexpr std::string_view kName = "cross_entropy_backward";
  static KernelSlot slot;

  explicit CrossEntropyBackward(const CrossEntropyRule& rule = {}) : rule_(rule) {}
  const CrossEntropyRule& rule() const noexcept { return rule_; }

  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
  void visit_attributes(AttributeVisitor& visit) override { visit_options(visit, rule_); }

 private:
  CrossEntropyRule rule_;
};

struct CrossEntropyOptions {
  Tensor weight = {};           ///< of the classes: [classes], of the logits' type; a constant
  double label_smoothing = 0;   ///< the share of a target that is spread evenly over all classes, 0 to 1
  int64_t ignore_index = -100;  ///< class indices of this value count for nothing
  LossReduction reduction = LossReduction::mean;
  int64_t class_axis = -1;  ///< 1 for [N, classes, ...]
};

/// Cross-entropy between softmax(logits) over the classes and targets: the loss of classification, exact at
/// extreme logits. Logits are floating, [..., classes] or with the classes along another axis; targets class
/// indices without that axis, i32 or i64, or probabilities of the logits' shape and type, which are not
/// checked. (Label smoothing: Szegedy et al., "Rethinking the Inception Architecture", CVPR 2016.)
///
/// As in PyTorch, the mean over class indices divides by the sum of the weights of those that are not
/// ignored, and is NaN where there are none; the mean over probabilities divides by the number of rows. Rows
/// of ignored targets get the gradient 0, also where their logits are not finite.
///
/// Throws ShapeError and TypeError where the inputs do not fit, ValueError for the first target outside [0,
/// classes) that is not the ignored one and for an option out of range, GradientError for weights that
/// require a gradient.
ESPALIER_API Tensor cross_entropy(const Tensor& logits, const Tensor& targets,
                                  const CrossEntropyOptions& options = {});

}  // namespace espalier
