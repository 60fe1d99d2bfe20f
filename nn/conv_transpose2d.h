#pragma once

#include "nn/visit.h"
#include "ops/conv_transpose2d.h"
#include "ops/random.h"

namespace espalier::nn {

/// Transposed 2-d convolution; see espalier::conv_transpose2d. Parameters: `weight` [in, out / groups, KH,
/// KW], `bias` [out]. Initial values as in PyTorch, which counts the fan-in over axis 1 here, too: uniform
/// within 1/sqrt(out / groups * KH * KW).
struct ESPALIER_API ConvTranspose2d {
  /// Throws ValueError for sizes and groups that make no convolution.
  ConvTranspose2d(int64_t in, int64_t out, Size2d kernel, const ConvTranspose2dOptions& options = {},
                  bool with_bias = true, const Generator& from = {});

  Tensor operator()(const Tensor& x) const { return conv_transpose2d(x, weight, bias, options); }
  void visit(Visitor& visitor) {
    visitor("weight", weight);
    visitor("bias", bias);
  }

  Tensor weight;
  Tensor bias;  ///< undefined without bias
  ConvTranspose2dOptions options;
};

/// Transposed 1-d convolution; see espalier::conv_transpose1d. Parameters: `weight` [in, out / groups, K],
/// `bias` [out]; initial values accordingly.
struct ESPALIER_API ConvTranspose1d {
  /// Throws ValueError for sizes and groups that make no convolution.
  ConvTranspose1d(int64_t in, int64_t out, int64_t kernel, const ConvTranspose1dOptions& options = {},
                  bool with_bias = true, const Generator& from = {});

  Tensor operator()(const Tensor& x) const { return conv_transpose1d(x, weight, bias, options); }
  void visit(Visitor& visitor) {
    visitor("weight", weight);
    visitor("bias", bias);
  }

  Tensor weight;
  Tensor bias;  ///< undefined without bias
  ConvTranspose1dOptions options;
};

}  // namespace espalier::nn
