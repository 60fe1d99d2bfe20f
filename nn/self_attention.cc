#include "nn/self_attention.h"

#include "core/error.h"
#include "ops/attention.h"
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

Tensor attend_by_heads(const Tensor& projected, int64_t heads, bool causal) {
  if (projected.rank() != 3 || heads < 1 || projected.shape()[2] % (3 * heads) != 0) {
    throw ShapeError("attend_by_heads", describe(projected) + " given for " + std::to_string(heads) +
                                            " heads; expected [N, T, 3 * heads * head width]");
  }
  const int64_t n = projected.shape()[0], t = projected.shape()[1], width = projected.shape()[2] / 3;
  const Tensors parts = split(projected, width, 2);
  const auto by_head = [&](const Tensor& part) {
    return transpose(reshape(part, {n, t, heads, width / heads}), 1, 2);
  };
  const Tensor joined = attention(by_head(parts[0]), by_head(parts[1]), by_head(parts[2]),
                                  {.causal = causal ? Causal::upper_left : Causal::none});
  return reshape(transpose(joined, 1, 2), {n, t, width});
}

}  // namespace espalier::nn
