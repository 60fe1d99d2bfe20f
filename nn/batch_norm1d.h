#pragma once

#include "nn/visit.h"

namespace espalier::nn {

/// Normalises each channel of [N, C] or [N, C, L]: by the batch's mean and variance in training, by running
/// ones in evaluation; espalier::batch_norm. Parameters: `weight` [C], ones at first, and `bias` [C], zeros.
/// Buffers: `running_mean` [C] and `running_var` [C].
struct ESPALIER_API BatchNorm1d {
  explicit BatchNorm1d(int64_t channels, double epsilon_ = 1e-5, double momentum_ = 0.1);

  /// Throws ShapeError for inputs of other ranks.
  Tensor operator()(const Tensor& x) const;
  void visit(Visitor& visitor) {
    visitor("weight", weight);
    visitor("bias", bias);
    visitor.buffer("running_mean", running_mean);
    visitor.buffer("running_var", running_var);
    visitor.unused("num_batches_tracked");  // PyTorch's count of training steps
    visitor.training(training);
  }

  Tensor weight;
  Tensor bias;
  Tensor running_mean;
  Tensor running_var;
  double epsilon;
  double momentum;  ///< share of the new batch in the running statistics
  bool training = true;
};

}  // namespace espalier::nn
