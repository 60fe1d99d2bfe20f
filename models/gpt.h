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
  /// Of the next tokens of sequences, see nn::attend_by_heads.
  Tensor operator()(const Tensor& x, const Tensor& keys, const Tensor& values, const Tensor& lengths) const;
  void visit(nn::Visitor& visitor);

  int64_t heads;
  nn::LayerNorm ln_1;
  nn::Linear c_attn, c_proj;
  nn::LayerNorm ln_2;
  nn::Linear c_fc, c_proj2;
};

struct Gpt;

/// What a Gpt keeps of the tokens that sequences have so far, so that the next ones cost only themselves. To
/// a compiled function it is state:
///
///   models::GptCache cache(gpt);
///   auto step = runtime::compile([&](const Tensor& tokens) { return gpt(tokens, cache); }, gpt, cache);
struct ESPALIER_API GptCache {
  /// An empty one for N sequences of up to gpt.length() tokens. Throws ValueError for a number below 1.
  explicit GptCache(const Gpt& gpt, int64_t sequences = 1);
  void visit(nn::Visitor& visitor);
  /// Forgets all tokens.
  void clear();
  /// Puts what `one`, a cache of the same model for one sequence, has in the place of a sequence. Throws
  /// ValueError where there is no such sequence, ShapeError for another cache.
  void replace(int64_t sequence, const GptCache& one);

  std::vector<Tensor> keys, values;  ///< of each block, [N, heads, length, head width]
  Tensor lengths;                    ///< the tokens so far, i64[N]
};

/// A language model with GPT-2's architecture: Radford et al., "Language models are unsupervised multitask
/// learners" (2019). Learned positions; the output weights are those of the embedding. Tokens i64 [N, T], T
/// up to `length`, to logits [N, T, vocabulary].
struct ESPALIER_API Gpt {
  /// Throws ValueError for a width that the heads don't divide.
  Gpt(int layers, int64_t width, int64_t heads, int64_t length, int64_t vocabulary = 65);

  Tensor operator()(const Tensor& tokens) const;
  /// The next tokens of the cache's sequences, i64 [N, T], to the logits behind the last one, [N,
  /// vocabulary]. No gradient. Throws ShapeError where the cache is for another number of sequences,
  /// ValueError where it has no room (there is no position for the token); then its lengths are as they were.
  Tensor operator()(const Tensor& tokens, GptCache& cache) const;
  /// The same of sequences of which only the first tokens count, counts[n], i64[N], from 1 to T; what stands
  /// behind them is forgotten. So texts of different lengths are read by one plan. The cache must have room
  /// for T.
  Tensor operator()(const Tensor& tokens, const Tensor& counts, GptCache& cache) const;
  void visit(nn::Visitor& visitor);

  /// The tokens that it can look back on.
  int64_t length() const { return wpe.weight.size(0); }

  nn::Embedding wte, wpe;
  std::vector<GptBlock> h;
  nn::LayerNorm ln_f;

 private:
  /// The states behind the next tokens, [N, T, width], whose keys and values are then in the cache.
  Tensor read(const Tensor& tokens, GptCache& cache) const;
  /// GPT-2's: deviation 0.02, what is added to the residual stream smaller by the root of how often that
  /// happens, biases 0.
  void initialise();
};

}  // namespace espalier::models
