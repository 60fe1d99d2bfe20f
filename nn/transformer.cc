#include "nn/transformer.h"

#include "ops/add.h"

namespace espalier::nn {
namespace {

/// x + sublayer(x), with the norm before or behind.
template <class Sublayer>
Tensor residual(const Tensor& x, const LayerNorm& norm, bool norm_first, Sublayer&& sublayer) {
  return norm_first ? x + sublayer(norm(x)) : norm(x + sublayer(x));
}

}  // namespace

TransformerEncoderLayer::TransformerEncoderLayer(int64_t width, int64_t heads,
                                                 const TransformerOptions& options, const Generator& from)
    : self_attn(width, heads, true, from),
      linear1(width, options.feedforward, true, from),
      linear2(options.feedforward, width, true, from),
      norm1(width, options.epsilon),
      norm2(width, options.epsilon),
      dropout(options.dropout),
      activation(options.activation),
      norm_first(options.norm_first) {}

Tensor TransformerEncoderLayer::operator()(const Tensor& x, const AttentionOptions& attention) const {
  const Tensor y =
      residual(x, norm1, norm_first, [&](const Tensor& in) { return dropout(self_attn(in, attention)); });
  return residual(y, norm2, norm_first,
                  [&](const Tensor& in) { return dropout(linear2(dropout(activation(linear1(in))))); });
}

TransformerDecoderLayer::TransformerDecoderLayer(int64_t width, int64_t heads,
                                                 const TransformerOptions& options, const Generator& from)
    : self_attn(width, heads, true, from),
      multihead_attn(width, heads, true, from),
      linear1(width, options.feedforward, true, from),
      linear2(options.feedforward, width, true, from),
      norm1(width, options.epsilon),
      norm2(width, options.epsilon),
      norm3(width, options.epsilon),
      dropout(options.dropout),
      activation(options.activation),
      norm_first(options.norm_first) {}

Tensor TransformerDecoderLayer::operator()(const Tensor& x, const Tensor& memory, const AttentionOptions& own,
                                           const AttentionOptions& across) const {
  Tensor y = residual(x, norm1, norm_first, [&](const Tensor& in) { return dropout(self_attn(in, own)); });
  y = residual(y, norm2, norm_first,
               [&](const Tensor& in) { return dropout(multihead_attn(in, memory, memory, across)); });
  return residual(y, norm3, norm_first,
                  [&](const Tensor& in) { return dropout(linear2(dropout(activation(linear1(in))))); });
}

}  // namespace espalier::nn
