#include <cmath>
#include <numeric>
#include <string>

#include "core/error.h"
#include "core/strided_copy_internal.h"
#include "ops/attention.h"
#include "ops/attention_heads_internal.h"
#include "ops/cached_attention.h"
#include "ops/copy.h"
#include "ops/slice.h"

namespace espalier {
namespace {

/// `lengths` are `stride` apart.
void check_lengths(std::string_view name, const int64_t* lengths, int64_t stride, int64_t count,
                   int64_t steps, int64_t capacity) {
  for (int64_t n = 0; n < count; ++n) {
    const int64_t length = lengths[n * stride];
    if (length >= 0 && length <= capacity - steps) continue;
    throw ValueError(name, "sequence " + std::to_string(n) + " of the cache has " + std::to_string(length) +
                               " steps, to which " + std::to_string(steps) + " come, but it holds " +
                               std::to_string(capacity) + "; clear it, or make it longer");
  }
}

/// Sequence n of [N, heads, rows, columns], each head as often as others share it.
template <class T>
AttentionHeads<T> heads_of_sequence(const AttentionHeads<T>& all, int64_t n, int64_t sharing = 1) {
  const Shape& shape = all.shape;
  const Strides& strides = all.strides;
  return {all.data + n * strides[0],
          {shape[1], sharing, shape[2], shape[3]},
          {strides[1], 0, strides[2], strides[3]}};
}

/// Puts the new rows of a sequence behind the `filled` ones that its cache has.
template <class T>
void append_rows(const AttentionHeads<T>& cache, const AttentionHeads<T>& added, int64_t filled) {
  const AttentionRows<T> first{cache.data, cache.strides[2]};
  copy_strided(first.from(filled).data, cache.strides, added.data, added.strides, added.shape, sizeof(T));
}

template <class T>
class CachedAttentionWork {
 public:
  CachedAttentionWork(const CachedAttention& op, Inputs inputs, std::span<const Tensor> outputs,
                      Workspace& work)
      : q_(inputs[0], work),
        k_(inputs[1]),
        v_(inputs[2]),
        keys_(outputs[1]),
        values_(outputs[2]),
        y_(outputs[0]),
        lengths_(row_major_as<int64_t>(inputs[5], work)),
        log_sum_(work.take<T>(q_.shape[1] * q_.shape[2])),
        scale_(static_cast<T>(op.scale().value_or(1 / std::sqrt(static_cast<double>(q_.shape[3]))))) {}

  void run() const {
    const int64_t heads = q_.shape[1], steps = q_.shape[2], sharing = heads / keys_.shape[1];
    check_lengths(CachedAttention::kName, lengths_, 1, q_.shape[0], steps, keys_.shape[2]);
    for (int64_t n = 0; n < q_.shape[0]; ++n) {
      const AttentionHeads<T> keys = heads_of_sequence(keys_, n, sharing),
                              values = heads_of_sequence(values_, n, sharing);
      append_rows(heads_of_sequence(keys_, n), heads_of_sequence(k_, n), lengths_[n]);
      append_rows(heads_of_sequence(values_, n), heads_of_sequence(v_, n), lengths_[n]);
      const AttentionSizes sizes(heads, steps, lengths_[n] + steps, q_.shape[3], values_.shape[3],
                                 Causal::lower_right);
      run_attention(AttentionProblem<T>{.sizes = sizes,
                                        .q = heads_of_sequence(q_, n),
                                        .k = keys,
                                        .v = values,
                                        .mask = {},
                                        .y = heads_of_sequence(y_, n),
                                        .log_sum = log_sum_,
                                        .scale = scale_});
    }
  }

 private:
  AttentionHeads<T> q_, k_, v_, keys_, values_, y_;
  const int64_t* lengths_;
  T* log_sum_;  ///< which nobody reads
  T scale_;
};

bool has_whole_rows(const Tensor& tensor) {
  return tensor.strides().back() == 1 || tensor.shape().back() == 1;
}

/// Sequence n of a tensor, [1, ...].
Tensor sequence(const Tensor& tensor, int64_t n) {
  return slice(tensor, 0, {n, n + 1});
}

}  // namespace

const char* cached_attention_tiles_declines(const CachedAttention&, Inputs inputs, std::span<const Tensor>) {
  const Dtype dtype = inputs[0].dtype();
  if (dtype != Dtype::f32 && dtype != Dtype::f64) return "only f64 and f32";
  return has_whole_rows(inputs[3]) && has_whole_rows(inputs[4]) ? nullptr : "the cache's rows have gaps";
}

size_t cached_attention_tiles_scratch(const CachedAttention& op, Inputs inputs,
                                      std::span<const Tensor> outputs) {
  return FloatKernel<CachedAttentionWork>::scratch(op, inputs, outputs);
}
void cached_attention_tiles(const CachedAttention& op, Inputs inputs, Outputs outputs, void* scratch) {
  FloatKernel<CachedAttentionWork>::run(op, inputs, outputs, scratch);
}

void cached_attention_cpu(const CachedAttention& op, Inputs inputs, Outputs outputs) {
  const Tensor &q = inputs[0], &k = inputs[1], &v = inputs[2], &keys = inputs[3], &values = inputs[4];
  const int64_t sequences = q.size(0), steps = q.size(2);
  const Tensor lengths = contiguous(inputs[5]);
  const auto* const filled = static_cast<const int64_t*>(lengths.raw_data());
  check_lengths(CachedAttention::kName, filled, 1, sequences, steps, keys.size(2));
  for (int64_t n = 0; n < sequences; ++n) {
    const Range added{filled[n], filled[n] + steps}, seen{0, added.stop};
    const Tensor own_keys = sequence(keys, n), own_values = sequence(values, n);
    copy_(slice(own_keys, 2, added), sequence(k, n));
    copy_(slice(own_values, 2, added), sequence(v, n));
    copy_(sequence(outputs[0], n),
          attention(sequence(q, n), slice(own_keys, 2, seen), slice(own_values, 2, seen),
                    {.causal = Causal::lower_right, .scale = op.scale()}));
  }
}

void cached_positions_cpu(const CachedPositions& op, Inputs inputs, Outputs outputs) {
  const int64_t sequences = inputs[0].size(0), stride = inputs[0].strides()[0];
  const auto* const lengths = static_cast<const int64_t*>(inputs[0].raw_data());
  check_lengths(CachedPositions::kName, lengths, stride, sequences, op.steps(), op.capacity());
  auto* const places = static_cast<int64_t*>(outputs[0].raw_data());
  for (int64_t n = 0; n < sequences; ++n)
    std::iota(places + n * op.steps(), places + (n + 1) * op.steps(), lengths[n * stride]);
}

}  // namespace espalier
