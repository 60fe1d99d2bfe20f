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
void run_problem(const AttentionProblem<T>& p) {
  const int64_t blocks = p.sizes.query_blocks();
  parallel_for(0, p.sizes.heads * blocks, kSerialWork / p.sizes.block_work(),
               [&](int64_t begin, int64_t end) {
                 for (int64_t i = begin; i < end; ++i) {
                   const int64_t head = i / blocks, first = i % blocks * kQueries;
                   forward_block(p.sizes, first, p.q.of_head(head).from(first), p.k.of_head(head),
                                 p.v.of_head(head), p.mask.of_head(head), p.y.of_head(head).from(first),
                                 p.log_sum + head * p.sizes.queries + first, p.scale);
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
