#pragma once

#include "nn/visit.h"
#include "ops/random.h"

namespace espalier::nn {

/// y = x Wᵀ + b over the last axis of x. Parameters: `weight` [out, in], `bias` [out]. Initial values as in
/// PyTorch: uniform within 1/sqrt(in).
struct ESPALIER_API Linear {
  /// Throws ValueError for a negative size.
  Linear(int64_t in, int64_t out, bool with_bias = true, const Generator& from = {});

  Tensor operator()(const Tensor& x) const;
  void visit(Visitor& visitor) {
    visitor("weight", weight);
    visitor("bias", bias);
  }

  Tensor weight;
  Tensor bias;  ///< undefined without bias
};

}  // namespace espalier::nn
