#pragma once

#include "core/door.h"
#include "ops/element_loss.h"

namespace espalier {

// Losses of regression that grow with the distance between prediction and target and not with its square, so
// that outliers weigh less than in mse_loss. Both inputs have gradients.

/// The absolute error, |prediction - target|, in one pass.
class ESPALIER_API L1Loss final : public OperationOf<L1Loss, ElementLoss> {
 public:
  static constexpr std::string_view kName = "l1_loss";
  static KernelSlot slot;

  using OperationOf::OperationOf;
  Tensors backward(const BackwardContext& context) const override;
  Tensors decompose(Inputs inputs) const override;
};

/// The sign of prediction - target (0 for 0 and NaN) times the gradient of the term.
class ESPALIER_API L1LossBackward final : public OperationOf<L1LossBackward, ElementLossBackward> {
 public:
  static constexpr std::string_view kName = "l1_loss_backward";
  static KernelSlot slot;

  using OperationOf::OperationOf;
};

/// With e = prediction - target: e^2 / 2 where |e| <= delta, else delta (|e| - delta / 2). (Huber, "Robust
/// Estimation of a Location Parameter", 1964.)
class ESPALIER_API HuberLoss final : public OperationOf<HuberLoss, ElementLoss> {
 public:
  static constexpr std::string_view kName = "huber_loss";
  static KernelSlot slot;

  explicit HuberLoss(double delta, LossReduction reduction = LossReduction::mean)
      : OperationOf(reduction), delta_(delta) {}
  double delta() const noexcept { return delta_; }
  Tensors backward(const BackwardContext& context) const override;
  Tensors decompose(Inputs inputs) const override;
  void visit_attributes(AttributeVisitor& visit) override {
    ElementLoss::visit_attributes(visit);
    visit("delta", delta_);
  }

 private:
  double delta_;
};

/// prediction - target, kept within [-delta, delta], times the gradient of the term.
class ESPALIER_API HuberLossBackward final : public OperationOf<HuberLossBackward, ElementLossBackward> {
 public:
  static constexpr std::string_view kName = "huber_loss_backward";
  static KernelSlot slot;

  explicit HuberLossBackward(double delta, LossReduction reduction = LossReduction::mean)
      : OperationOf(reduction), delta_(delta) {}
  double delta() const noexcept { return delta_; }
  void visit_attributes(AttributeVisitor& visit) override {
    ElementLossBackward::visit_attributes(visit);
    visit("delta", delta_);
  }

 private:
  double delta_;
};

/// With e = prediction - target: e^2 / (2 beta) where |e| < beta, else |e| - beta / 2. (Girshick, "Fast
/// R-CNN", ICCV 2015, with beta = 1.)
class ESPALIER_API SmoothL1Loss final : public OperationOf<SmoothL1Loss, ElementLoss> {
 public:
  static constexpr std::string_view kName = "smooth_l1_loss";
  static KernelSlot slot;

  explicit SmoothL1Loss(double beta, LossReduction reduction = LossReduction::mean)
      : OperationOf(reduction), beta_(beta) {}
  double beta() const noexcept { return beta_; }
  Tensors backward(const BackwardContext& context) const override;
  Tensors decompose(Inputs inputs) const override;
  void visit_attributes(AttributeVisitor& visit) override {
    ElementLoss::visit_attributes(visit);
    visit("beta", beta_);
  }

 private:
  double beta_;
};

/// (prediction - target) / beta, kept within [-1, 1], times the gradient of the term.
class ESPALIER_API SmoothL1LossBackward final
    : public OperationOf<SmoothL1LossBackward, ElementLossBackward> {
 public:
  static constexpr std::string_view kName = "smooth_l1_loss_backward";
  static KernelSlot slot;

  explicit SmoothL1LossBackward(double beta, LossReduction reduction = LossReduction::mean)
      : OperationOf(reduction), beta_(beta) {}
  double beta() const noexcept { return beta_; }
  void visit_attributes(AttributeVisitor& visit) override {
    ElementLossBackward::visit_attributes(visit);
    visit("beta", beta_);
  }

 private:
  double beta_;
};

/// |prediction - target|, as the mean over all elements, their sum, or one by one. The derivative at 0 is 0.
/// Floating types; throws TypeError and ShapeError where the two differ.
ESPALIER_API Tensor l1_loss(const Tensor& predictions, const Tensor& targets,
                            LossReduction reduction = LossReduction::mean);

struct HuberLossOptions {
  double delta = 1;  ///< where the square passes into a line
  LossReduction reduction = LossReduction::mean;
};

/// e^2 / 2 up to |e| = delta and a line of slope delta beyond, with e = prediction - target. Throws
/// ValueError unless delta is finite and above 0; else as l1_loss.
ESPALIER_API Tensor huber_loss(const Tensor& predictions, const Tensor& targets,
                               const HuberLossOptions& options = {});

struct SmoothL1LossOptions {
  double beta = 1;  ///< where the square passes into a line; 0: l1_loss
  LossReduction reduction = LossReduction::mean;
};

/// huber_loss divided by its delta, here called beta: lines of slope 1. Throws ValueError unless beta is
/// finite and not negative; else as l1_loss.
ESPALIER_API Tensor smooth_l1_loss(const Tensor& predictions, const Tensor& targets,
                                   const SmoothL1LossOptions& options = {});

}  // namespace espalier
