#pragma once

#include <cstdint>
#include <vector>

#include "nn/embedding.h"
#include "nn/layer_norm.h"
#include "nn/linear.h"

namespace espalier::models {

/// Pre-norm transformer block with causal attention and a tanh GELU, as in GPT-2.
struct ESPALIER_API GptBlock {
  GptBlock(int64_t width, int64_t heads_);

  Tensor operator()(const Tensor& x) const;
  void visit(nn::Visitor& visitor);

  int64_t heads;
  nn::LayerNorm ln_1;
  nn::Linear c_attn, c_proj;
  nn::LayerNorm ln_2;
  nn::Linear c_fc, c_proj2;
};

/// A language model with GPT-2's architecture: Radford et al., "Language models are unsupervised multitask
/// learners" (2019). Learned positions; the output weights are those of the embedding. Tokens i64 [N, T], T
/// up to `length`, to logits [N, T, vocabulary].
struct ESPALIER_API Gpt {
  /// Throws ValueError for a width that the heads don't divide.
  Gpt(int layers, int64_t width, int64_t heads, int64_t length, int64_t vocabulary = 65);

  Tensor operator()(const Tensor& tokens) const;
  void visit(nn::Visitor& visitor);

  /// The tokens that it can look back on.
  int64_t length() const { return wpe.weight.size(0); }

  nn::Embedding wte, wpe;
  std::vector<GptBlock> h;
  nn::LayerNorm ln_f;

 private:
  /// GPT-2's: deviation 0.02, what is added to the residual stream smaller by the root of how often that
  /// happens, biases 0.
  void initialise();
};

}  // namespace espalier::models
