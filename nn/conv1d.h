#pragma once

#include "nn/visit.h"
#include "ops/conv1d.h"
#include "ops/random.h"

namespace espalier::nn {

/// 1-d convolution; see espalier::conv1d. Parameters: `weight` [out, in / groups, K], `bias` [out]. Initial
/// values as in PyTorch: uniform within 1/sqrt(in / groups * K).
struct ESPALIER_API Conv1d {
  /// Throws ValueError for sizes and groups that make no convolution.
  Conv1d(int64_t in, int64_t out, int64_t kernel, const Conv1dOptions& options = {}, bool with_bias = true,
         const Generator& from = {});

  Tensor operator()(const Tensor& x) const { return conv1d(x, weight, bias, options); }
  void visit(Visitor& visitor) {
    visitor("weight", weight);
    visitor("bias", bias);
  }

  Tensor weight;
  Tensor bias;  ///< undefined without bias
  Conv1dOptions options;
};

}  // namespace espalier::nn
