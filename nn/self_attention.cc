#include "nn/self_attention.h"

#include <array>

#include "core/error.h"
#include "ops/attention.h"
#include "ops/cached_attention.h"
#include "ops/permute.h"
#include "ops/reshape.h"
#include "ops/split.h"

namespace espalier::nn {

SelfAttention::SelfAttention(int64_t width, int64_t heads_, bool causal_, const Generator& from)
    : c_attn(width, 3 * width, true, from), c_proj(width, width, true, from), heads(heads_), causal(causal_) {
  if (heads < 1 || width % heads != 0) {
    throw ValueError("SelfAttention",
                     std::to_string(heads) + " heads do not divide a width of " + std::to_string(width));
  }
}

Tensor SelfAttention::operator()(const Tensor& x) const {
  return c_proj(attend_by_heads(c_attn(x), heads, causal));
}

namespace {

/// Queries, keys and values, each [N, heads, T, head width], as views.
std::array<Tensor, 3> by_heads(const Tensor& projected, int64_t heads) {
  if (projected.rank() != 3 || heads < 1 || projected.shape()[2] % (3 * heads) != 0) {
    throw ShapeError("attend_by_heads", describe(projected) + " given for " + std::to_string(heads) +
                                            " heads; expected [N, T, 3 * heads * head width]");
  }
  const int64_t n = projected.shape()[0], t = projected.shape()[1], width = projected.shape()[2] / 3;
  const Tensors parts = split(projected, width, 2);
  const auto heads_of = [&](const Tensor& part) {
    return transpose(reshape(part, {n, t, heads, width / heads}), 1, 2);
  };
  return {heads_of(parts[0]), heads_of(parts[1]), heads_of(parts[2])};
}

/// [N, heads, T, head width] to [N, T, heads * head width].
Tensor side_by_side(const Tensor& y) {
  return flatten(transpose(y, 1, 2), 2, 3);
}

}  // namespace

Tensor attend_by_heads(const Tensor& projected, int64_t heads, bool causal) {
  const auto [q, k, v] = by_heads(projected, heads);
  return side_by_side(attention(q, k, v, {.causal = causal ? Causal::upper_left : Causal::none}));
}

Tensor attend_by_heads(const Tensor& projected, int64_t heads, const Tensor& keys, const Tensor& values,
                       const Tensor& lengths) {
  const auto [q, k, v] = by_heads(projected, heads);
  return side_by_side(cached_attention_(q, k, v, keys, values, lengths));
}

}  // namespace espalier::nn
