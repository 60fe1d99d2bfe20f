#pragma once

#include <cstdint>
#include <vector>

#include "nn/embedding.h"
#include "nn/layer_norm.h"
#include "nn/linear.h"

namespace espalier::models {

struct BertOptions {
  int64_t vocabulary = 30522, width = 768, layers = 12, heads = 12, feedforward = 3072, positions = 512,
          segments = 2;
};

/// The sum of the embeddings of tokens, positions and segments.
struct ESPALIER_API BertEmbeddings {
  explicit BertEmbeddings(const BertOptions& options);
  /// Tokens i64 [N, T], all of the first segment, to [N, T, width].
  Tensor operator()(const Tensor& tokens) const;
  void visit(nn::Visitor& visitor);

  nn::Embedding word_embeddings, position_embeddings, token_type_embeddings;
  nn::LayerNorm norm;
};

/// Attention and two linear layers, with norms behind the residual connections and the exact GELU.
struct ESPALIER_API BertLayer {
  explicit BertLayer(const BertOptions& options);
  /// States [N, T, width]; `mask` bool [N, 1, 1, T] is false for tokens that nobody looks at.
  Tensor operator()(const Tensor& x, const Tensor& mask) const;
  void visit(nn::Visitor& visitor);

  int64_t heads;
  nn::Linear query, key, value, attended, intermediate, output;
  nn::LayerNorm norm1, norm2;
};

/// A transformer encoder of BERT's type: Devlin et al., "BERT" (2019). Members are named as in the weight
/// files of the "transformers" library, so these load without a map.
struct ESPALIER_API Bert {
  explicit Bert(const BertOptions& options);

  /// The last layer's states [N, T, width] of tokens i64 [N, T]; `seen` bool [N, T] is false where there is
  /// padding.
  Tensor operator()(const Tensor& tokens, const Tensor& seen) const;
  void visit(nn::Visitor& visitor);

  BertEmbeddings embeddings;
  std::vector<BertLayer> layers;
  nn::Linear pooler;
};

}  // namespace espalier::models
