#include <algorithm>

#include "core/parallel.h"
#include "ops/attention.h"
#include "ops/attention_heads_internal.h"
#include "ops/narrow_types_internal.h"

namespace espalier {
namespace {

constexpr int64_t kQueries = kAttentionQueries, kKeys = kAttentionKeys;

/// One head's operands of backward; a gradient that is not wanted is null.
template <class T>
struct HeadGradients {
  AttentionRows<T> dy, q, k, v, y, dq, dk, dv;
  AttentionRows<const T> mask;
  const T* log_sum;
  T* delta;
  T scale;
};

template <class T>
void clear(AttentionRows<T> rows, int64_t count, int64_t width) {
  for (int64_t i = 0; rows.data && i < count; ++i) std::fill_n(rows.data + i * rows.stride, width, T{0});
}

/// A block of keys and values, from `key` on, to be multiplied with.
template <class T>
struct KeyBlock {
  int64_t key, count;
  AttentionScores<T> keys, values;

  KeyBlock(const AttentionSizes& sizes, const HeadGradients<T>& head, int64_t key_)
      : key(key_),
        count(std::min(kKeys, sizes.keys - key_)),
        keys(head.k.from(key), count, sizes.depth, sizes.queries),
        values(head.v.from(key), count, sizes.width, sizes.queries) {}
};

/// Adds what the scores of a block of queries, from `first` on, and one of keys give to the gradients.
template <class T>
void backward_tile(const AttentionSizes& sizes, const HeadGradients<T>& head, int64_t first,
                   const KeyBlock<T>& block) {
  const int64_t key = block.key;
  alignas(64) T p[kQueries * kKeys];
  alignas(64) T ds[kQueries * kKeys];
  const int64_t rows = std::min(kQueries, sizes.queries - first);
  const int64_t columns = std::min(kKeys, sizes.keys_seen(first + rows) - key);
  if (columns <= 0) return;
  const AttentionRows<T> q = head.q.from(first), dy = head.dy.from(first), k = head.k.from(key);
  const AttentionRows<T> weights{p, kKeys}, slopes{ds, kKeys};
  block.keys(q, rows, columns, weights);
  block.values(dy, rows, columns, slopes);
  attention_gradients(masked_tile(sizes, p, rows, columns, first, key, head.scale, head.mask),
                      head.log_sum + first, head.delta + first, head.scale, ds);
  if (head.dv.data)
    AttentionProduct<T>{columns, sizes.width, rows}(weights, true, dy, false, head.dv.from(key), true);
  if (head.dk.data)
    AttentionProduct<T>{columns, sizes.depth, rows}(slopes, true, q, false, head.dk.from(key), true);
  if (head.dq.data)
    AttentionProduct<T>{rows, sizes.depth, columns}(slopes, false, k, false, head.dq.from(first), true);
}

template <class T>
void find_delta(const AttentionSizes& sizes, const HeadGradients<T>& head, int64_t first, int64_t rows) {
  attention_row_dots(head.dy.from(first).data, head.dy.stride, head.y.from(first).data, head.y.stride, rows,
                     sizes.width, head.delta + first);
}

/// Everything that a block of keys gives; where causal, the queries before it do not see it.
template <class T>
void backward_keys(const AttentionSizes& sizes, const HeadGradients<T>& head, int64_t key) {
  const KeyBlock<T> block(sizes, head, key);
  clear(head.dk.data ? head.dk.from(key) : head.dk, block.count, sizes.depth);
  clear(head.dv.data ? head.dv.from(key) : head.dv, block.count, sizes.width);
  for (int64_t first = sizes.first_query(key); first < sizes.queries; first += kQueries)
    backward_tile(sizes, head, first, block);
}

/// The gradient of a block of queries.
template <class T>
void backward_queries(const AttentionSizes& sizes, const HeadGradients<T>& head, int64_t first) {
  const int64_t rows = std::min(kQueries, sizes.queries - first);
  find_delta(sizes, head, first, rows);
  if (!head.dq.data) return;
  clear(head.dq.from(first), rows, sizes.depth);
  for (int64_t key = 0; key < sizes.keys_seen(first + rows); key += kKeys)
    backward_tile(sizes, head, first, KeyBlock<T>(sizes, head, key));
}

/// All operands of backward.
template <class T>
struct Gradients {
  AttentionHeads<T> dy, q, k, v, y;
  const AttentionMask<T> mask;
  const Tensor log_sum, delta;
  Tensor of[3];  // dq, dk, dv; undefined where not wanted
  T scale;

  Gradients(const AttentionBackward& op, Inputs inputs, Outputs outputs)
      : dy(AttentionHeads<T>::input(inputs[0])),
        q(AttentionHeads<T>::input(inputs[1])),
        k(AttentionHeads<T>::input(inputs[2])),
        v(AttentionHeads<T>::input(inputs[3])),
        y(AttentionHeads<T>::input(inputs[4])),
        mask(inputs[6], inputs[1], inputs[2].shape()[inputs[2].rank() - 2]),
        log_sum(row_major(inputs[5])),
        delta(empty(inputs[5].shape(), dtype_of<T>())),
        scale(static_cast<T>(op.scale())) {
    size_t next = 0;
    for (int i = 0; i < 3; ++i) {
      if (op.wants(i)) of[i] = outputs[next++];
    }
  }

  HeadGradients<T> head(const AttentionSizes& sizes, int64_t head) const {
    const auto wanted = [&](int i) {
      return of[i].defined() ? rows_of(AttentionHeads<T>(of[i]), head) : AttentionRows<T>{nullptr, 0};
    };
    return {.dy = rows_of(dy, head),
            .q = rows_of(q, head),
            .k = rows_of(k, head),
            .v = rows_of(v, head),
            .y = rows_of(y, head),
            .dq = wanted(0),
            .dk = wanted(1),
            .dv = wanted(2),
            .mask = mask.of_head(head),
            .log_sum = static_cast<const T*>(log_sum.raw_data()) + head * sizes.queries,
            .delta = static_cast<T*>(delta.raw_data()) + head * sizes.queries,
            .scale = scale};
  }
};

template <class T>
void backward(const AttentionBackward& op, Inputs inputs, Outputs outputs) {
  const AttentionSizes sizes(inputs[1], inputs[3], op.causal());
  const Gradients<T> all(op, inputs, outputs);
  const int64_t query_blocks = sizes.query_blocks(), key_blocks = sizes.key_blocks();
  // Heads are independent, and one pass over a head's tiles gives all its gradients. Where there are too few
  // heads to keep the threads busy, blocks of queries and of keys are dealt out in two passes, which compute
  // the scores twice. Either way each gradient is summed in the same order, so the bits are the same.
  if (sizes.heads >= int64_t{2} * num_threads() || num_threads() == 1) {
    const int64_t work = 2 * query_blocks * sizes.block_work();
    parallel_for(0, sizes.heads, kSerialWork / std::max<int64_t>(1, work), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const HeadGradients<T> head = all.head(sizes, i);
        find_delta(sizes, head, 0, sizes.queries);
        clear(head.dq, sizes.queries, sizes.depth);
        for (int64_t block = 0; block < key_blocks; ++block) backward_keys(sizes, head, block * kKeys);
      }
    });
    return;
  }
  parallel_for(0, sizes.heads * query_blocks, kSerialWork / sizes.block_work(),
               [&](int64_t begin, int64_t end) {
                 for (int64_t i = begin; i < end; ++i) {
                   HeadGradients<T> head = all.head(sizes, i / query_blocks);
                   head.dk = head.dv = {nullptr, 0};
                   backward_queries(sizes, head, i % query_blocks * kQueries);
                 }
               });
  parallel_for(0, sizes.heads * key_blocks, kSerialWork / sizes.block_work(),
               [&](int64_t begin, int64_t end) {
                 for (int64_t i = begin; i < end; ++i) {
                   HeadGradients<T> head = all.head(sizes, i / key_blocks);
                   head.dq = {nullptr, 0};
                   if (head.dk.data || head.dv.data) backward_keys(sizes, head, i % key_blocks * kKeys);
                 }
               });
}

}  // namespace

const char* attention_backward_declines(const AttentionBackward&, Inputs inputs, std::span<const Tensor>) {
  return declines_all_but_floats(inputs[1].dtype());
}

void attention_backward_cpu(const AttentionBackward& op, Inputs inputs, Outputs outputs) {
  if (inputs[0].dtype() == Dtype::f64) return backward<double>(op, inputs, outputs);
  run_in_f32(inputs, outputs, [&](Inputs in, Outputs out) { backward<float>(op, in, out); });
}

}  // namespace espalier
