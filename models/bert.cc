#include "models/bert.h"

#include "ops/add.h"
#include "ops/attention.h"
#include "ops/gelu.h"
#include "ops/permute.h"
#include "ops/reshape.h"
#include "ops/slice.h"

namespace espalier::models {

BertEmbeddings::BertEmbeddings(const BertOptions& options)
    : word_embeddings(options.vocabulary, options.width),
      position_embeddings(options.positions, options.width),
      token_type_embeddings(options.segments, options.width),
      norm(options.width, 1e-12) {}

Tensor BertEmbeddings::operator()(const Tensor& tokens) const {
  const Tensor positions = slice(position_embeddings.weight, 0, {0, tokens.size(1)});
  return norm(word_embeddings(tokens) + positions + slice(token_type_embeddings.weight, 0, {0, 1}));
}

void BertEmbeddings::visit(nn::Visitor& visitor) {
  visitor("word_embeddings", word_embeddings);
  visitor("position_embeddings", position_embeddings);
  visitor("token_type_embeddings", token_type_embeddings);
  visitor("LayerNorm", norm);
  visitor.unused("position_ids");
}

BertLayer::BertLayer(const BertOptions& options)
    : heads(options.heads),
      query(options.width, options.width),
      key(options.width, options.width),
      value(options.width, options.width),
      attended(options.width, options.width),
      intermediate(options.width, options.feedforward),
      output(options.feedforward, options.width),
      norm1(options.width, 1e-12),
      norm2(options.width, 1e-12) {}

Tensor BertLayer::operator()(const Tensor& x, const Tensor& mask) const {
  const auto by_head = [&](const Tensor& y) {
    return transpose(reshape(y, {y.size(0), y.size(1), heads, y.size(2) / heads}), 1, 2);
  };
  const Tensor joined = attention(by_head(query(x)), by_head(key(x)), by_head(value(x)), {.mask = mask});
  const Tensor y = norm1(x + attended(flatten(transpose(joined, 1, 2), 2, 3)));
  return norm2(y + output(gelu_exact(intermediate(y))));
}

void BertLayer::visit(nn::Visitor& visitor) {
  visitor("attention.self.query", query);
  visitor("attention.self.key", key);
  visitor("attention.self.value", value);
  visitor("attention.output.dense", attended);
  visitor("attention.output.LayerNorm", norm1);
  visitor("intermediate.dense", intermediate);
  visitor("output.dense", output);
  visitor("output.LayerNorm", norm2);
}

Bert::Bert(const BertOptions& options) : embeddings(options), pooler(options.width, options.width) {
  for (int64_t i = 0; i < options.layers; ++i) layers.emplace_back(options);
}

Tensor Bert::operator()(const Tensor& tokens, const Tensor& seen) const {
  const Tensor mask = unsqueeze(unsqueeze(seen, 1), 1);  // [N, 1, 1, T]
  Tensor x = embeddings(tokens);
  for (const BertLayer& layer : layers) x = layer(x, mask);
  return x;
}

void Bert::visit(nn::Visitor& visitor) {
  visitor("embeddings", embeddings);
  visitor("encoder.layer", layers);
  visitor("pooler.dense", pooler);
}

}  // namespace espalier::models
