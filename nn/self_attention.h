#pragma once

#include "nn/linear.h"

namespace espalier::nn {

/// Multi-head attention of a sequence to itself: [N, T, C] to [N, T, C]. Queries, keys and values are views
/// of one product, `c_attn`; the heads' results go through `c_proj`. Vaswani et al., "Attention is all you
/// need" (2017), section 3.2.2.
struct ESPALIER_API SelfAttention {
  /// With `causal`, a position sees itself and those before it. Throws ValueError where `heads` does not
  /// divide `width`.
  SelfAttention(int64_t width, int64_t heads_, bool causal_ = true, const Generator& from = {});

  Tensor operator()(const Tensor& x) const;
  void visit(Visitor& visitor) {
    visitor("c_attn", c_attn);
    visitor("c_proj", c_proj);
  }

  Linear c_attn;
  Linear c_proj;
  int64_t heads;
  bool causal;
};

/// The core of it, on x W = `projected` [N, T, 3C], which holds queries, keys and values side by side: the
/// heads' results, joined, [N, T, C].
ESPALIER_API Tensor attend_by_heads(const Tensor& projected, int64_t heads, bool causal);
/// The same for the next steps of sequences, by cached_attention_() (ops/cached_attention.h): they see the
/// steps in the cache, to which they are added, and themselves. Throws what that does, too.
ESPALIER_API Tensor attend_by_heads(const Tensor& projected, int64_t heads, const Tensor& keys,
                                    const Tensor& values, const Tensor& lengths);

}  // namespace espalier::nn
