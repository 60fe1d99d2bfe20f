#pragma once

#include "nn/visit.h"
#include "ops/conv2d.h"
#include "ops/random.h"

namespace espalier::nn {

/// 2-d convolution; see espalier::conv2d. Parameters: `weight` [out, in / groups, KH, KW], `bias` [out].
/// Initial values as in PyTorch: uniform within 1/sqrt(in / groups * KH * KW).
struct ESPALIER_API Conv2d {
  /// Throws ValueError for sizes, groups, strides or dilations that make no convolution.
  Conv2d(int64_t in, int64_t out, Size2d kernel, const Conv2dOptions& options = {}, bool with_bias = true,
         const Generator& from = {});

  Tensor operator()(const Tensor& x) const { return conv2d(x, weight, bias, options); }
  void visit(Visitor& visitor) {
    visitor("weight", weight);
    visitor("bias", bias);
  }

  Tensor weight;
  Tensor bias;  ///< undefined without bias
  Conv2dOptions options;
};

}  // namespace espalier::nn
