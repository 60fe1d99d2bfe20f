#pragma once

#include <vector>

#include <espalier/espalier.h>

namespace models {

/// A transformer encoder of BERT's type (Devlin et al., "BERT", 2019): learned embeddings of tokens,
/// positions and segments, norms behind the residual connections, the exact GELU. Members are named as in the
/// weight files of the "transformers" library, so these load without a map.
struct Bert {
  struct Options {
    int64_t vocabulary = 30522, width = 768, layers = 12, heads = 12, feedforward = 3072, positions = 512,
            segments = 2;
  };

  struct Embeddings {
    explicit Embeddings(const Options& options)
        : word_embeddings(options.vocabulary, options.width),
          position_embeddings(options.positions, options.width),
          token_type_embeddings(options.segments, options.width),
          norm(options.width, 1e-12) {}
    /// Tokens i64 [N, T], all of the first segment, to [N, T, width].
    espalier::Tensor operator()(const espalier::Tensor& tokens) const {
      using namespace espalier;
      const Tensor positions = slice(position_embeddings.weight, 0, {0, tokens.size(1)});
      return norm(word_embeddings(tokens) + positions + slice(token_type_embeddings.weight, 0, {0, 1}));
    }
    void visit(espalier::nn::Visitor& visitor) {
      visitor("word_embeddings", word_embeddings);
      visitor("position_embeddings", position_embeddings);
      visitor("token_type_embeddings", token_type_embeddings);
      visitor("LayerNorm", norm);
      visitor.unused("position_ids");
    }
    espalier::nn::Embedding word_embeddings, position_embeddings, token_type_embeddings;
    espalier::nn::LayerNorm norm;
  };

  struct Layer {
    explicit Layer(const Options& options)
        : heads(options.heads),
          query(options.width, options.width),
          key(options.width, options.width),
          value(options.width, options.width),
          attended(options.width, options.width),
          intermediate(options.width, options.feedforward),
          output(options.feedforward, options.width),
          norm1(options.width, 1e-12),
          norm2(options.width, 1e-12) {}
    espalier::Tensor operator()(const espalier::Tensor& x, const espalier::Tensor& mask) const {
      using namespace espalier;
      const auto by_head = [&](const Tensor& y) {
        return transpose(reshape(y, {y.size(0), y.size(1), heads, y.size(2) / heads}), 1, 2);
      };
      const Tensor joined = attention(by_head(query(x)), by_head(key(x)), by_head(value(x)), {.mask = mask});
      const Tensor y = norm1(x + attended(flatten(transpose(joined, 1, 2), 2, 3)));
      return norm2(y + output(gelu_exact(intermediate(y))));
    }
    void visit(espalier::nn::Visitor& visitor) {
      visitor("attention.self.query", query);
      visitor("attention.self.key", key);
      visitor("attention.self.value", value);
      visitor("attention.output.dense", attended);
      visitor("attention.output.LayerNorm", norm1);
      visitor("intermediate.dense", intermediate);
      visitor("output.dense", output);
      visitor("output.LayerNorm", norm2);
    }
    int64_t heads;
    espalier::nn::Linear query, key, value, attended, intermediate, output;
    espalier::nn::LayerNorm norm1, norm2;
  };

  explicit Bert(const Options& options) : embeddings(options), pooler(options.width, options.width) {
    for (int64_t i = 0; i < options.layers; ++i) layers.emplace_back(options);
  }

  /// The last layer's states [N, T, width] of tokens i64 [N, T]; `seen` bool [N, T] is false where there is
  /// padding.
  espalier::Tensor operator()(const espalier::Tensor& tokens, const espalier::Tensor& seen) const {
    using namespace espalier;
    const Tensor mask = unsqueeze(unsqueeze(seen, 1), 1);  // [N, 1, 1, T]
    Tensor x = embeddings(tokens);
    for (const Layer& layer : layers) x = layer(x, mask);
    return x;
  }
  void visit(espalier::nn::Visitor& visitor) {
    visitor("embeddings", embeddings);
    visitor("encoder.layer", layers);
    visitor("pooler.dense", pooler);
  }

  Embeddings embeddings;
  std::vector<Layer> layers;
  espalier::nn::Linear pooler;
};

}  // namespace models
