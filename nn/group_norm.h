#pragma once

#include "nn/visit.h"

namespace espalier::nn {

/// Normalises the channels of [N, C, ...] in groups of neighbours: espalier::group_norm. Parameters: `weight`
/// [C], ones at first, and `bias` [C], zeros.
struct ESPALIER_API GroupNorm {
  /// Throws ValueError where `groups_` does not divide `channels`.
  GroupNorm(int64_t groups_, int64_t channels, double epsilon_ = 1e-5);

  Tensor operator()(const Tensor& x) const;
  void visit(Visitor& visitor) {
    visitor("weight", weight);
    visitor("bias", bias);
  }

  Tensor weight;
  Tensor bias;
  int64_t groups;
  double epsilon;
};

}  // namespace espalier::nn
