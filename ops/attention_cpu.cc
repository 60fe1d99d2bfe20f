#include <algorithm>
#include <limits>

#include "core/parallel.h"
#include "ops/attention.h"
#include "ops/attention_heads_internal.h"
#include "ops/narrow_types_internal.h"

namespace espalier {
namespace {

/// Queries that meet a block of keys together, before the next; what is known of them lies on the stack.
constexpr int64_t kGroup = 128;
/// Of these, so many at a time: where attention is causal, few keys more than the last of them sees.
constexpr int64_t kQueries = 16;
constexpr int64_t kKeys = kAttentionKeys;

/// Queries [first, first + rows) of a head.
template <class T>
struct QueryGroup {
  const AttentionSizes& sizes;
  int64_t first, rows;
  AttentionRows<T> q, k, v, y;
  AttentionRows<const T> mask;
  T* log_sum;
  T scale;
};

template <class T>
void see_nothing(const QueryGroup<T>& group) {
  for (int64_t i = 0; i < group.rows; ++i) std::fill_n(group.y.from(i).data, group.sizes.width, T{0});
  std::fill_n(group.log_sum, group.rows, -std::numeric_limits<T>::infinity());
}

/// Lets all queries of the group meet the block of keys from `key` on.
template <class T>
void meet_keys(const QueryGroup<T>& group, int64_t key, T* top, T* sum) {
  alignas(64) T scores[kQueries * kKeys];
  const AttentionSizes& sizes = group.sizes;
  const AttentionRows<T> weights{scores, kKeys};
  const int64_t keys = std::min(kKeys, sizes.keys - key);
  const AttentionScores<T> score(group.k.from(key), keys, sizes.depth, group.rows);
  for (int64_t at = 0; at < group.rows; at += kQueries) {
    const int64_t rows = std::min(kQueries, group.rows - at), first = group.first + at;
    const int64_t columns = std::clamp<int64_t>(sizes.keys_seen(first + rows) - key, 0, keys);
    if (columns == 0 && key > 0) continue;  // the first block of keys sets what is known
    const AttentionRows<T> y = group.y.from(at);
    score(group.q.from(at), rows, columns, weights);
    attention_weights(masked_tile(sizes, scores, rows, columns, first, key, group.scale, group.mask),
                      {top + at, sum + at, y.data, y.stride, sizes.width}, key == 0);
    AttentionProduct<T>{rows, sizes.width, columns}(weights, false, group.v.from(key), false, y, key > 0);
  }
}

template <class T>
void forward_group(const QueryGroup<T>& group) {
  T top[kGroup], sum[kGroup];
  const int64_t seen = group.sizes.keys_seen(group.first + group.rows);
  if (seen == 0) return see_nothing(group);
  for (int64_t key = 0; key < seen; key += kKeys) meet_keys(group, key, top, sum);
  attention_finish({top, sum, group.y.data, group.y.stride, group.sizes.width}, group.rows, group.log_sum);
}

template <class T>
void forward(const Attention& op, Inputs inputs, Outputs outputs) {
  const AttentionSizes sizes(inputs[0], inputs[2], op.causal());
  const auto q = AttentionHeads<T>::input(inputs[0]), k = AttentionHeads<T>::input(inputs[1]),
             v = AttentionHeads<T>::input(inputs[2]);
  const AttentionMask<T> mask(inputs[3], inputs[0], sizes.keys);
  const AttentionHeads<T> y(outputs[0]);
  T* const log_sum = static_cast<T*>(outputs[1].raw_data());
  const int64_t groups = (sizes.queries + kGroup - 1) / kGroup;
  const int64_t work = sizes.work(std::min(kGroup, sizes.queries));
  parallel_for(0, sizes.heads * groups, kSerialWork / work, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t head = i / groups, first = i % groups * kGroup;
      forward_group<T>({sizes, first, std::min(kGroup, sizes.queries - first), rows_of(q, head).from(first),
                        rows_of(k, head), rows_of(v, head), rows_of(y, head).from(first), mask.of_head(head),
                        log_sum + head * sizes.queries + first, static_cast<T>(op.scale(inputs[0]))});
    }
  });
}

}  // namespace

template <class T>
AttentionMask<T>::AttentionMask(const Tensor& mask, const Tensor& q, int64_t keys) {
  if (!mask.defined()) return;
  Shape own = mask.shape();
  own[own.rank() - 1] = keys;  // only the last axis is repeated in memory
  const Tensor wide =
      row_major(mask.with_layout(own, broadcast_strides(mask.shape(), mask.strides(), own), mask.offset()));
  Tensor numbers = wide;
  if (mask.dtype() == Dtype::boolean) {
    numbers = empty(own, dtype_of<T>());
    const bool* sees = static_cast<const bool*>(wide.raw_data());
    std::transform(sees, sees + wide.numel(), static_cast<T*>(numbers.raw_data()),
                   [](bool seen) { return seen ? T{0} : -std::numeric_limits<T>::infinity(); });
  }
  Shape full = q.shape();
  full[full.rank() - 1] = keys;
  numbers_ = numbers.with_layout(full, broadcast_strides(own, numbers.strides(), full), numbers.offset());
}
template class AttentionMask<float>;
template class AttentionMask<double>;

const char* attention_declines(const Attention&, Inputs inputs, std::span<const Tensor>) {
  return declines_all_but_floats(inputs[0].dtype());
}

void attention_cpu(const Attention& op, Inputs inputs, Outputs outputs) {
  if (inputs[0].dtype() == Dtype::f64) return forward<double>(op, inputs, outputs);
  run_in_f32(inputs, outputs, [&](Inputs in, Outputs out) { forward<float>(op, in, out); });
}

}  // namespace espalier
