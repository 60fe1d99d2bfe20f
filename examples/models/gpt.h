#pragma once

#include <cmath>
#include <vector>

#include <espalier/espalier.h>

namespace models {

/// Pre-norm transformer block with causal attention and a tanh GELU, as in GPT-2.
struct GptBlock {
  GptBlock(int64_t width, int64_t heads_)
      : heads(heads_),
        ln_1(width),
        c_attn(width, 3 * width),
        c_proj(width, width),
        ln_2(width),
        c_fc(width, 4 * width),
        c_proj2(4 * width, width) {}

  espalier::Tensor operator()(const espalier::Tensor& x) const {
    const espalier::Tensor y = x + c_proj(espalier::nn::attend_by_heads(c_attn(ln_1(x)), heads, true));
    return y + c_proj2(espalier::gelu(c_fc(ln_2(y))));
  }
  void visit(espalier::nn::Visitor& visitor) {
    visitor("ln_1", ln_1);
    visitor("c_attn", c_attn);
    visitor("c_proj", c_proj);
    visitor("ln_2", ln_2);
    visitor("c_fc", c_fc);
    visitor("c_proj2", c_proj2);
  }

  int64_t heads;
  espalier::nn::LayerNorm ln_1;
  espalier::nn::Linear c_attn, c_proj;
  espalier::nn::LayerNorm ln_2;
  espalier::nn::Linear c_fc, c_proj2;
};

/// A language model with GPT-2's architecture: Radford et al., "Language models are unsupervised multitask
/// learners" (2019). Learned positions; the output weights are those of the embedding. Tokens i64 [N, T], T
/// up to `length`, to logits [N, T, vocabulary].
struct Gpt {
  Gpt(int layers, int64_t width, int64_t heads, int64_t length, int64_t vocabulary = 65)
      : wte(vocabulary, width), wpe(length, width), ln_f(width) {
    for (int i = 0; i < layers; ++i) h.emplace_back(width, heads);
    initialise();
  }

  espalier::Tensor operator()(const espalier::Tensor& tokens) const {
    using namespace espalier;
    Tensor x = wte(tokens) + slice(wpe.weight, 0, {0, tokens.size(1)});
    for (const GptBlock& block : h) x = block(x);
    return linear(ln_f(x), wte.weight);
  }
  void visit(espalier::nn::Visitor& visitor) {
    visitor("wte", wte);
    visitor("wpe", wpe);
    visitor("h", h);
    visitor("ln_f", ln_f);
  }

  /// GPT-2's: deviation 0.02, what is added to the residual stream smaller by the root of how often that
  /// happens, biases 0.
  void initialise() {
    const espalier::NoGrad no_grad;
    const double added = 0.02 / std::sqrt(2.0 * static_cast<double>(h.size()));
    for (auto& [name, parameter] : espalier::nn::named_parameters(*this)) {
      if (name.ends_with("bias"))
        espalier::copy_(parameter, espalier::zeros(parameter.shape()));
      else if (parameter.rank() == 2)
        espalier::normal_(parameter, 0, name.find("c_proj") != name.npos ? added : 0.02);
    }
  }

  espalier::nn::Embedding wte, wpe;
  std::vector<GptBlock> h;
  espalier::nn::LayerNorm ln_f;
};

}  // namespace models
