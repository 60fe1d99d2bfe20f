#pragma once

#include "core/tensor.h"
#include "ops/loss.h"

namespace espalier {

// Negative log-likelihoods of numbers under a distribution that a model predicts: compositions of other
// operations, with gradients of all their inputs.

struct PoissonNllOptions {
  bool log_input = true;  ///< the predictions are logarithms of the rate
  bool full = false;      ///< with Stirling's approximation of log t! for targets above 1
  double eps = 1e-8;      ///< added to the rate in its logarithm
  LossReduction reduction = LossReduction::mean;
};

/// The negative log-likelihood of counts t under Poisson distributions: e^x - t x, or, for rates x, x - t
/// log(x + eps); `full` adds t log t - t + log(2 pi t) / 2 where t > 1. One shape and floating type.
ESPALIER_API Tensor poisson_nll_loss(const Tensor& predictions, const Tensor& targets,
                                     const PoissonNllOptions& options = {});

struct GaussianNllOptions {
  bool full = false;  ///< with the constant log(2 pi) / 2
  double eps = 1e-6;  ///< variances are at least this; the gradient is as if they were not raised
  LossReduction reduction = LossReduction::mean;
};

/// The negative log-likelihood of targets under normal distributions: (log v + (prediction - target)^2 / v) /
/// 2, with variances v that broadcast. (Nix & Weigend, "Estimating the mean and variance of the target
/// probability distribution", 1994.) Negative variances count as eps. One floating type.
ESPALIER_API Tensor gaussian_nll_loss(const Tensor& predictions, const Tensor& targets,
                                      const Tensor& variances, const GaussianNllOptions& options = {});

}  // namespace espalier
