#include <algorithm>
#include <limits>

#include "core/parallel.h"
#include "ops/attention.h"
#include "ops/attention_heads_internal.h"
#include "ops/narrow_types_internal.h"

namespace espalier {
namespace {

constexpr int64_t kQueries = kAttentionQueries, kKeys = kAttentionKeys;

template <class T>
void forward_block(const AttentionSizes& sizes, int64_t first, AttentionRows<T> q, AttentionRows<T> k,
                   AttentionRows<T> v, AttentionRows<const T> mask, AttentionRows<T> y, T* log_sum, T scale) {
  alignas(64) T scores[kQueries * kKeys];
  T top[kQueries], sum[kQueries];
  const int64_t rows = std::min(kQueries, sizes.queries - first);
  const AttentionState<T> state{top, sum, y.data, y.stride, sizes.width};
  const int64_t seen = sizes.keys_seen(first + rows);
  if (seen == 0) {
    for (int64_t i = 0; i < rows; ++i) std::fill_n(y.from(i).data, sizes.width, T{0});
    std::fill_n(log_sum, rows, -std::numeric_limits<T>::infinity());
    return;
  }
  for (int64_t key = 0; key < seen; key += kKeys) {
    const int64_t columns = std::min(kKeys, seen - key);
    const AttentionRows<T> weights{scores, kKeys};
    AttentionProduct<T>{rows, columns, sizes.depth}(q, false, k.from(key), true, weights, false);
    attention_weights(masked_tile(sizes, scores, rows, columns, first, key, scale, mask), state, key == 0);
    AttentionProduct<T>{rows, sizes.width, columns}(weights, false, v.from(key), false, y, key > 0);
  }
  attention_finish(state, rows, log_sum);
}

template <class T>
void forward(const Attention& op, Inputs inputs, Outputs outputs) {
  const AttentionSizes sizes(inputs[0], inputs[2], op.causal());
  const auto q = AttentionHeads<T>::input(inputs[0]), k = AttentionHeads<T>::input(inputs[1]),
             v = AttentionHeads<T>::input(inputs[2]);
  const AttentionMask<T> mask(inputs[3], inputs[0], sizes.keys);
  const AttentionHeads<T> y(outputs[0]);
  T* const log_sum = static_cast<T*>(outputs[1].raw_data());
  const int64_t blocks = sizes.query_blocks();
  parallel_for(0, sizes.heads * blocks, kSerialWork / sizes.block_work(), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t head = i / blocks, first = i % blocks * kQueries;
      forward_block(sizes, first, rows_of(q, head).from(first), rows_of(k, head), rows_of(v, head),
                    mask.of_head(head), rows_of(y, head).from(first), log_sum + head * sizes.queries + first,
                    static_cast<T>(op.scale(inputs[0])));
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
