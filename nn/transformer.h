#pragma once

#include <functional>
#include <optional>

#include "nn/dropout.h"
#include "nn/layer_norm.h"
#include "nn/multihead_attention.h"
#include "ops/relu.h"

namespace espalier::nn {

struct TransformerOptions {
  int64_t feedforward = 2048;  ///< width between the two linear layers
  double dropout = 0.1;  ///< after each sublayer and within the feed-forward one; not on attention weights
  std::function<Tensor(const Tensor&)> activation = [](const Tensor& x) { return relu(x); };
  bool norm_first = false;  ///< normalise what goes into a sublayer instead of what comes out
  double epsilon = 1e-5;    ///< of the norms
};

/// Self-attention and a feed-forward network, each with a residual connection and a norm: Vaswani et al.,
/// "Attention is all you need" (2017), section 3.1. Parameters are named as PyTorch's
/// nn.TransformerEncoderLayer (batch first) names them. x [N, T, width] to the same.
struct ESPALIER_API TransformerEncoderLayer {
  TransformerEncoderLayer(int64_t width, int64_t heads, const TransformerOptions& options = {},
                          const Generator& from = {});

  Tensor operator()(const Tensor& x, const AttentionOptions& attention = {}) const;
  void visit(Visitor& visitor) {
    visitor("self_attn", self_attn);
    visitor("linear1", linear1);
    visitor("linear2", linear2);
    visitor("norm1", norm1);
    visitor("norm2", norm2);
    visitor("dropout", dropout);
  }

  MultiheadAttention self_attn;
  Linear linear1, linear2;
  LayerNorm norm1, norm2;
  Dropout dropout;
  std::function<Tensor(const Tensor&)> activation;
  bool norm_first;
};

/// The same with attention to an encoder's output in between: nn.TransformerDecoderLayer. x [N, T, width],
/// which attends to itself causally unless told otherwise, and `memory` [N, S, width].
struct ESPALIER_API TransformerDecoderLayer {
  TransformerDecoderLayer(int64_t width, int64_t heads, const TransformerOptions& options = {},
                          const Generator& from = {});

  Tensor operator()(const Tensor& x, const Tensor& memory,
                    const AttentionOptions& own = {.causal = Causal::upper_left},
                    const AttentionOptions& across = {}) const;
  void visit(Visitor& visitor) {
    visitor("self_attn", self_attn);
    visitor("multihead_attn", multihead_attn);
    visitor("linear1", linear1);
    visitor("linear2", linear2);
    visitor("norm1", norm1);
    visitor("norm2", norm2);
    visitor("norm3", norm3);
    visitor("dropout", dropout);
  }

  MultiheadAttention self_attn, multihead_attn;
  Linear linear1, linear2;
  LayerNorm norm1, norm2, norm3;
  Dropout dropout;
  std::function<Tensor(const Tensor&)> activation;
  bool norm_first;
};

}  // namespace espalier::nn
