#include "models/gpt.h"

#include <cmath>

#include "autograd/autograd.h"
#include "core/create.h"
#include "core/error.h"
#include "nn/self_attention.h"
#include "nn/state.h"
#include "ops/add.h"
#include "ops/at.h"
#include "ops/cached_attention.h"
#include "ops/copy.h"
#include "ops/expand.h"
#include "ops/gather.h"
#include "ops/gelu.h"
#include "ops/linear.h"
#include "ops/random.h"
#include "ops/reshape.h"
#include "ops/slice.h"
#include "ops/subtract.h"

namespace espalier::models {

GptBlock::GptBlock(int64_t width, int64_t heads_)
    : heads(heads_),
      ln_1(width),
      c_attn(width, 3 * width),
      c_proj(width, width),
      ln_2(width),
      c_fc(width, 4 * width),
      c_proj2(4 * width, width) {}

Tensor GptBlock::operator()(const Tensor& x) const {
  const Tensor y = x + c_proj(nn::attend_by_heads(c_attn(ln_1(x)), heads, true));
  return y + c_proj2(gelu(c_fc(ln_2(y))));
}

Tensor GptBlock::operator()(const Tensor& x, const Tensor& keys, const Tensor& values,
                            const Tensor& lengths) const {
  const Tensor y = x + c_proj(nn::attend_by_heads(c_attn(ln_1(x)), heads, keys, values, lengths));
  return y + c_proj2(gelu(c_fc(ln_2(y))));
}

void GptBlock::visit(nn::Visitor& visitor) {
  visitor("ln_1", ln_1);
  visitor("c_attn", c_attn);
  visitor("c_proj", c_proj);
  visitor("ln_2", ln_2);
  visitor("c_fc", c_fc);
  visitor("c_proj2", c_proj2);
}

Gpt::Gpt(int layers, int64_t width, int64_t heads, int64_t length, int64_t vocabulary)
    : wte(vocabulary, width), wpe(length, width), ln_f(width) {
  if (heads < 1 || width % heads != 0) {
    throw ValueError("Gpt", "width " + std::to_string(width) + " and " + std::to_string(heads) +
                                " heads; expected a width that the heads divide");
  }
  for (int i = 0; i < layers; ++i) h.emplace_back(width, heads);
  initialise();
}

Tensor Gpt::operator()(const Tensor& tokens) const {
  Tensor x = wte(tokens) + slice(wpe.weight, 0, {0, tokens.size(1)});
  for (const GptBlock& block : h) x = block(x);
  return linear(ln_f(x), wte.weight);
}

GptCache::GptCache(const Gpt& gpt, int64_t sequences) {
  if (sequences < 1) {
    throw ValueError("GptCache",
                     "cannot keep " + std::to_string(sequences) + " sequences; expected 1 or more");
  }
  const Tensor& like = gpt.wte.weight;
  for (const GptBlock& block : gpt.h) {
    const Shape shape = {sequences, block.heads, gpt.length(), like.size(1) / block.heads};
    keys.push_back(zeros(shape, like.dtype(), like.device()));
    values.push_back(zeros(shape, like.dtype(), like.device()));
  }
  lengths = zeros({sequences}, Dtype::i64, like.device());
}

void GptCache::visit(nn::Visitor& visitor) {
  for (size_t i = 0; i < keys.size(); ++i) {
    visitor.buffer("keys." + std::to_string(i), keys[i]);
    visitor.buffer("values." + std::to_string(i), values[i]);
  }
  visitor.buffer("lengths", lengths);
}

void GptCache::clear() {
  copy_(lengths, zeros_like(lengths));
}

void GptCache::replace(int64_t sequence, const GptCache& one) {
  const NoGrad no_grad;
  if (sequence < 0 || sequence >= lengths.size(0)) {
    throw ValueError("GptCache", "there is no sequence " + std::to_string(sequence) + "; it has " +
                                     std::to_string(lengths.size(0)));
  }
  if (one.lengths.size(0) != 1 || one.keys.size() != keys.size()) {
    throw ShapeError("GptCache", "a cache of " + std::to_string(one.keys.size()) + " blocks for " +
                                     std::to_string(one.lengths.size(0)) +
                                     " sequences was given; expected one of " + std::to_string(keys.size()) +
                                     " for one sequence");
  }
  const Range own{sequence, sequence + 1}, filled{0, one.lengths.data<int64_t>()[0]};
  for (size_t i = 0; i < keys.size(); ++i) {
    copy_(at(keys[i], own, kAll, filled), at(one.keys[i], kAll, kAll, filled));
    copy_(at(values[i], own, kAll, filled), at(one.values[i], kAll, kAll, filled));
  }
  copy_(at(lengths, own), one.lengths);
}

Tensor Gpt::read(const Tensor& tokens, GptCache& cache) const {
  if (tokens.rank() != 2 || tokens.size(0) != cache.lengths.size(0)) {
    throw ShapeError("Gpt", "tokens are " + describe(tokens) + "; expected [N, T], for the " +
                                std::to_string(cache.lengths.size(0)) + " sequences of the cache");
  }
  Tensor x = wte(tokens) + wpe(cached_positions(cache.lengths, tokens.size(1), length()));
  for (size_t i = 0; i < h.size(); ++i) x = h[i](x, cache.keys[i], cache.values[i], cache.lengths);
  return x;
}

Tensor Gpt::operator()(const Tensor& tokens, GptCache& cache) const {
  const NoGrad no_grad;
  const Tensor x = read(tokens, cache);
  copy_(cache.lengths, cache.lengths + tokens.size(1));
  return linear(ln_f(at(x, kAll, -1)), wte.weight);
}

Tensor Gpt::operator()(const Tensor& tokens, const Tensor& counts, GptCache& cache) const {
  const NoGrad no_grad;
  const Tensor x = read(tokens, cache);
  // Of each sequence the state behind the last token that counts.
  const Tensor index = expand(reshape(counts - 1, {tokens.size(0), 1, 1}), {tokens.size(0), 1, x.size(2)});
  const Tensor last = squeeze(gather(x, 1, index), 1);
  copy_(cache.lengths, cache.lengths + counts);
  return linear(ln_f(last), wte.weight);
}

void Gpt::visit(nn::Visitor& visitor) {
  visitor("wte", wte);
  visitor("wpe", wpe);
  visitor("h", h);
  visitor("ln_f", ln_f);
}

void Gpt::initialise() {
  const NoGrad no_grad;
  const double added = 0.02 / std::sqrt(2.0 * static_cast<double>(h.size()));
  for (auto& [name, parameter] : nn::named_parameters(*this)) {
    if (name.ends_with("bias"))
      copy_(parameter, zeros(parameter.shape()));
    else if (parameter.rank() == 2)
      normal_(parameter, 0, name.find("c_proj") != name.npos ? added : 0.02);
  }
}

}  // namespace espalier::models
