#include "nn/multihead_attention.h"

#include <cmath>

#include "autograd/autograd.h"
#include "core/error.h"
#include "nn/init.h"
#include "ops/copy.h"
#include "ops/linear.h"
#include "ops/permute.h"
#include "ops/reshape.h"
#include "ops/slice.h"
#include "ops/split.h"

namespace espalier::nn {

KeyValueCache::KeyValueCache(int64_t batch, int64_t heads, int64_t capacity, int64_t width, Dtype dtype)
    : keys_(zeros({batch, heads, capacity, width}, dtype)),
      values_(zeros({batch, heads, capacity, width}, dtype)) {}

KeyValueCache::Filled KeyValueCache::append(const Tensor& keys, const Tensor& values) {
  constexpr const char* kWhere = "KeyValueCache";
  const Tensor given[] = {keys, values};
  check_defined(kWhere, given);
  Shape expected = keys_.shape();
  expected[2] = keys.rank() == 4 ? keys.size(2) : -1;
  if (keys.shape() != expected || values.shape() != expected) {
    throw ShapeError(kWhere, "keys and values are " + describe(given) +
                                 "; expected [N, G, T, D] for a cache of " + describe(keys_));
  }
  if (expected[2] > capacity() - length_) {
    throw ValueError(kWhere, std::to_string(length_) + " steps and " + std::to_string(expected[2]) +
                                 " more exceed its capacity of " + std::to_string(capacity()));
  }
  const NoGrad no_grad;
  const Range added{length_, length_ + expected[2]};
  copy_(slice(keys_, 2, added), keys.detach());
  copy_(slice(values_, 2, added), values.detach());
  length_ = added.stop;
  return {slice(keys_, 2, {0, length_}), slice(values_, 2, {0, length_})};
}

void KeyValueCache::truncate(int64_t length) {
  if (length < 0 || length > length_) {
    throw ValueError("KeyValueCache",
                     "cannot keep " + std::to_string(length) + " of " + std::to_string(length_) + " steps");
  }
  length_ = length;
}

MultiheadAttention::MultiheadAttention(int64_t width, int64_t heads_, bool with_bias, const Generator& from)
    : out_proj(width, width, with_bias, from), heads(heads_) {
  if (heads < 1 || width < 1 || width % heads != 0) {
    throw ValueError("MultiheadAttention",
                     std::to_string(heads) + " heads do not divide a width of " + std::to_string(width));
  }
  in_proj_weight = make_parameter(xavier_uniform_(empty({3 * width, width}), 1, from), "MultiheadAttention");
  if (with_bias) {
    in_proj_bias = make_parameter(zeros({3 * width}), "MultiheadAttention");
    const NoGrad no_grad;
    copy_(out_proj.bias, zeros({width}));
  }
}

namespace {

/// [N, T, heads * D] to [N, heads, T, D], as a view.
Tensor by_head(const Tensor& x, int64_t heads) {
  return transpose(reshape(x, {x.size(0), x.size(1), heads, x.size(2) / heads}), 1, 2);
}

Tensor joined(const Tensor& y) {
  return flatten(transpose(y, 1, 2), 2, 3);
}

void check_operand(const MultiheadAttention& layer, const char* role, const Tensor& x) {
  check_defined("MultiheadAttention", x);
  const int64_t width = layer.in_proj_weight.size(1);
  if (x.rank() == 3 && x.size(2) == width) return;
  throw ShapeError("MultiheadAttention", std::string(role) + " is " + describe(x) + "; expected [N, T, " +
                                             std::to_string(width) + "]");
}

/// Rows `part` to `part` + `count` of three of the projection, applied to x.
Tensor projected(const MultiheadAttention& layer, const Tensor& x, int64_t part, int64_t count) {
  const int64_t width = layer.in_proj_weight.size(1);
  const Range rows{part * width, (part + count) * width};
  const Tensor bias = layer.in_proj_bias.defined() ? slice(layer.in_proj_bias, 0, rows) : Tensor();
  return linear(x, slice(layer.in_proj_weight, 0, rows), bias);
}

}  // namespace

Tensor MultiheadAttention::operator()(const Tensor& query, const Tensor& key, const Tensor& value,
                                      const AttentionOptions& options) const {
  check_operand(*this, "the query", query);
  check_operand(*this, "the key", key);
  check_operand(*this, "the value", value);
  Tensor q, k, v;
  if (query.is(key) && key.is(value)) {  // one product for all three
    const Tensors parts = split(projected(*this, query, 0, 3), query.size(2), 2);
    q = parts[0], k = parts[1], v = parts[2];
  } else {
    q = projected(*this, query, 0, 1);
    k = projected(*this, key, 1, 1);
    v = projected(*this, value, 2, 1);
  }
  return out_proj(joined(attention(by_head(q, heads), by_head(k, heads), by_head(v, heads), options)));
}

Tensor MultiheadAttention::operator()(const Tensor& x, KeyValueCache& cache) const {
  check_operand(*this, "x", x);
  const Tensors parts = split(projected(*this, x, 0, 3), x.size(2), 2);
  const auto [keys, values] = cache.append(by_head(parts[1], heads), by_head(parts[2], heads));
  return out_proj(joined(attention(by_head(parts[0], heads), keys, values, {.causal = Causal::lower_right})));
}

}  // namespace espalier::nn
