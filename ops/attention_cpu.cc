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
void run_problem(const AttentionProblem<T>& p) {
  const int64_t queries = p.sizes.queries, groups = (queries + kGroup - 1) / kGroup;
  const int64_t work = p.sizes.work(std::min(kGroup, queries));
  parallel_for(0, p.sizes.heads * groups, kSerialWork / work, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t head = i / groups, first = i % groups * kGroup;
      forward_group<T>({p.sizes, first, std::min(kGroup, queries - first), p.q.of_head(head).from(first),
                        p.k.of_head(head), p.v.of_head(head), p.y.of_head(head).from(first),
                        p.mask.of_head(head), p.log_sum + head * queries + first, p.scale});
    }
  });
}

template <class T>
class AttentionWork {
 public:
  AttentionWork(const Attention& op, Inputs inputs, std::span<const Tensor> outputs, Workspace& work)
      : problem_{.sizes = AttentionSizes(inputs[0], inputs[2], op.causal()),
                 .q = {inputs[0], work},
                 .k = {inputs[1], work},
                 .v = {inputs[2], work},
                 .mask = heads_of_mask<T>(inputs[3], inputs[0], inputs[2].size(-2), work),
                 .y = AttentionHeads<T>(outputs[0]),
                 .log_sum = static_cast<T*>(outputs[1].raw_data()),
                 .scale = static_cast<T>(op.scale(inputs[0]))} {}

  void run() const { run_attention(problem_); }

 private:
  AttentionProblem<T> problem_;
};

}  // namespace

void run_attention(const AttentionProblem<float>& problem) {
  run_problem(problem);
}
void run_attention(const AttentionProblem<double>& problem) {
  run_problem(problem);
}

template <class T>
AttentionHeads<const T> heads_of_mask(const Tensor& mask, const Tensor& q, int64_t keys, Workspace& work) {
  if (!mask.defined()) return {};
  Shape own = mask.shape();
  own[own.rank() - 1] = keys;  // only the last axis is repeated in memory
  const void* const wide =
      row_major(mask.raw_data(), own, broadcast_strides(mask.shape(), mask.strides(), own),
                size_of(mask.dtype()), work);
  const T* numbers = static_cast<const T*>(wide);
  if (mask.dtype() == Dtype::boolean) {
    T* const made = work.take<T>(count(own));
    numbers = made;
    const bool* const sees = static_cast<const bool*>(wide);
    if (made) {
      std::transform(sees, sees + count(own), made,
                     [](bool seen) { return seen ? T{0} : -std::numeric_limits<T>::infinity(); });
    }
  }
  Shape full = q.shape();
  full[full.rank() - 1] = keys;
  return {numbers, full, broadcast_strides(own, contiguous_strides(own), full)};
}
template AttentionHeads<const float> heads_of_mask(const Tensor&, const Tensor&, int64_t, Workspace&);
template AttentionHeads<const double> heads_of_mask(const Tensor&, const Tensor&, int64_t, Workspace&);

const char* attention_declines(const Attention&, Inputs inputs, std::span<const Tensor>) {
  return declines_all_but_floats(inputs[0].dtype());
}

size_t attention_scratch(const Attention& op, Inputs inputs, std::span<const Tensor> outputs) {
  return FloatKernel<AttentionWork>::scratch(op, inputs, outputs);
}
void attention_cpu(const Attention& op, Inputs inputs, Outputs outputs, void* scratch) {
  FloatKernel<AttentionWork>::run(op, inputs, outputs, scratch);
}

}  // namespace espalier
