#pragma once

#include "nn/visit.h"

namespace espalier::nn {

/// Normalises the last axis: espalier::layer_norm. Parameters: `weight` [width], ones at first, and `bias`
/// [width], zeros.
struct ESPALIER_API LayerNorm {
  explicit LayerNorm(int64_t width, double epsilon_ = 1e-5);

  Tensor operator()(const Tensor& x) const;
  void visit(Visitor& visitor) {
    visitor("weight", weight);
    visitor("bias", bias);
  }

  Tensor weight;
  Tensor bias;
  double epsilon;
};

}  // namespace espalier::nn
