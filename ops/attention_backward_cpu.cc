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

template <class T>
class AttentionBackwardWork {
 public:
  AttentionBackwardWork(const AttentionBackward& op, Inputs inputs, std::span<const Tensor> outputs,
                        Workspace& work)
      : sizes_(inputs[1], inputs[3], op.causal()),
        dy_(inputs[0], work),
        q_(inputs[1], work),
        k_(inputs[2], work),
        v_(inputs[3], work),
        y_(inputs[4], work),
        mask_(heads_of_mask<T>(inputs[6], inputs[1], sizes_.keys, work)),
        log_sum_(row_major_as<T>(inputs[5], work)),
        delta_(work.take<T>(inputs[5].numel())),
        scale_(static_cast<T>(op.scale())) {
    size_t next = 0;
    for (int i = 0; i < 3; ++i) {
      if (op.wants(i)) of_[i] = AttentionHeads<T>(outputs[next++]);
    }
  }

  /// Heads are independent, and one pass over a head's tiles gives all its gradients. Where there are too few
  /// heads to keep the threads busy, blocks of queries and of keys are dealt out in two passes, which compute
  /// the scores twice. Either way each gradient is summed in the same order, so the bits are the same.
  void run() const {
    if (sizes_.heads >= int64_t{2} * num_threads() || num_threads() == 1)
      run_heads();
    else
      run_blocks();
  }

 private:
  HeadGradients<T> head(int64_t head) const {
    return {.dy = dy_.of_head(head),
            .q = q_.of_head(head),
            .k = k_.of_head(head),
            .v = v_.of_head(head),
            .y = y_.of_head(head),
            .dq = of_[0].of_head(head),
            .dk = of_[1].of_head(head),
            .dv = of_[2].of_head(head),
            .mask = mask_.of_head(head),
            .log_sum = log_sum_ + head * sizes_.queries,
            .delta = delta_ + head * sizes_.queries,
            .scale = scale_};
  }

  void run_heads() const {
    const int64_t work = 2 * sizes_.query_blocks() * sizes_.block_work();
    parallel_for(0, sizes_.heads, kSerialWork / std::max<int64_t>(1, work), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const HeadGradients<T> own = head(i);
        find_delta(sizes_, own, 0, sizes_.queries);
        clear(own.dq, sizes_.queries, sizes_.depth);
        for (int64_t block = 0; block < sizes_.key_blocks(); ++block)
          backward_keys(sizes_, own, block * kKeys);
      }
    });
  }

  void run_blocks() const {
    const int64_t query_blocks = sizes_.query_blocks(), key_blocks = sizes_.key_blocks();
    const int64_t grain = kSerialWork / sizes_.block_work();
    parallel_for(0, sizes_.heads * query_blocks, grain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        HeadGradients<T> own = head(i / query_blocks);
        own.dk = own.dv = {};
        backward_queries(sizes_, own, i % query_blocks * kQueries);
      }
    });
    parallel_for(0, sizes_.heads * key_blocks, grain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        HeadGradients<T> own = head(i / key_blocks);
        own.dq = {};
        if (own.dk.data || own.dv.data) backward_keys(sizes_, own, i % key_blocks * kKeys);
      }
    });
  }

  AttentionSizes sizes_;
  AttentionHeads<T> dy_, q_, k_, v_, y_;
  AttentionHeads<const T> mask_;
  const T* log_sum_;
  T* delta_;                 ///< of each query, the sum over j of dy[j] y[j]
  AttentionHeads<T> of_[3];  ///< dq, dk, dv; absent where not wanted
  T scale_;
};

}  // namespace

const char* attention_backward_declines(const AttentionBackward&, Inputs inputs, std::span<const Tensor>) {
  return declines_all_but_floats(inputs[1].dtype());
}

size_t attention_backward_scratch(const AttentionBackward& op, Inputs inputs,
                                  std::span<const Tensor> outputs) {
  return FloatKernel<AttentionBackwardWork>::scratch(op, inputs, outputs);
}
void attention_backward_cpu(const AttentionBackward& op, Inputs inputs, Outputs outputs, void* scratch) {
  FloatKernel<AttentionBackwardWork>::run(op, inputs, outputs, scratch);
}

}  // namespace espalier
