#include <array>
#include <cmath>
#include <numeric>
#include <string>

#include "core/error.h"
#include "core/strided_copy_internal.h"
#include "ops/attention.h"
#include "ops/attention_heads_internal.h"
#include "ops/cached_attention.h"
#include "ops/inner_kernel_internal.h"
#include "ops/norm_internal.h"

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

/// Sequence n of [N, heads, rows, columns] with `rows` rows, its heads in groups of `sharing`, or each of
/// them as often.
LocalTensor in_groups(const Tensor& tensor, int64_t n, int64_t sharing) {
  const Shape& shape = tensor.shape();
  const Strides& strides = tensor.strides();
  const int64_t start = n * strides[0] * static_cast<int64_t>(size_of(tensor.dtype()));
  return LocalTensor(static_cast<char*>(tensor.raw_data()) + start, tensor.dtype(),
                     {shape[1] / sharing, sharing, shape[2], shape[3]},
                     {strides[1] * sharing, strides[1], strides[2], strides[3]});
}
LocalTensor repeated(const Tensor& tensor, int64_t n, int64_t sharing, int64_t rows) {
  const Shape& shape = tensor.shape();
  const Strides& strides = tensor.strides();
  const int64_t start = n * strides[0] * static_cast<int64_t>(size_of(tensor.dtype()));
  return LocalTensor(static_cast<char*>(tensor.raw_data()) + start, tensor.dtype(),
                     {shape[1], sharing, rows, shape[3]}, {strides[1], 0, strides[2], strides[3]});
}

/// Attention over a cache as attention without one, a sequence at a time: for types and layouts that tiles do
/// not take.
class SequencesApart {
 public:
  SequencesApart(const CachedAttention& op, Inputs inputs, std::span<const Tensor> outputs, Workspace& work)
      : attention_(Causal::lower_right, op.scale()),
        inputs_(inputs),
        output_(outputs[0]),
        lengths_(row_major_as<int64_t>(inputs[5], work)) {
    if (inputs[0].size(0) == 0) return;
    Workspace counter;  // no sequence takes more than with a full cache
    const Sequence full(*this, 0, capacity(), counter);
    memory_ = work.take<char>(static_cast<int64_t>(counter.bytes()));
  }

  void run() const {
    const int64_t sequences = inputs_[0].size(0), steps = inputs_[0].size(2);
    check_lengths(CachedAttention::kName, lengths_, 1, sequences, steps, capacity());
    for (int64_t n = 0; n < sequences; ++n) {
      append(3, 1, n);
      append(4, 2, n);
      Workspace own(memory_);
      Sequence(*this, n, lengths_[n] + steps, own).run();
    }
  }

 private:
  /// Sequence n, of which `seen` steps are in the cache.
  struct Sequence {
    Sequence(const SequencesApart& all, int64_t n, int64_t seen, Workspace& work)
        : q(in_groups(all.inputs_[0], n, all.sharing())),
          keys(repeated(all.inputs_[3], n, all.sharing(), seen)),
          values(repeated(all.inputs_[4], n, all.sharing(), seen)),
          y(in_groups(all.output_, n, all.sharing())),
          log_sum(local_tensor({q->size(0), q->size(1), q->size(2)}, statistics_type(q->dtype()), work)),
          inputs{q, keys, values, Tensor()},
          outputs{y, log_sum},
          kernel(all.attention_, inputs, outputs, work) {}
    void run() const { kernel.run(); }

    LocalTensor q, keys, values, y, log_sum;
    std::array<Tensor, 4> inputs;
    std::array<Tensor, 2> outputs;
    InnerKernel kernel;
  };

  int64_t capacity() const { return inputs_[3].size(2); }
  int64_t sharing() const { return inputs_[0].size(1) / inputs_[3].size(1); }

  /// Puts the new rows of a sequence behind those that its cache has.
  void append(size_t cache, size_t added, int64_t n) const {
    const Tensor &to = inputs_[cache], &from = inputs_[added];
    const auto place = [](const Tensor& tensor, int64_t sequence, int64_t row) {
      const Strides& strides = tensor.strides();
      return static_cast<char*>(tensor.raw_data()) +
             (sequence * strides[0] + row * strides[2]) * static_cast<int64_t>(size_of(tensor.dtype()));
    };
    const auto of_one = [](const Dims& dims) { return Dims{dims[1], dims[2], dims[3]}; };
    copy_strided(place(to, n, lengths_[n]), of_one(to.strides()), place(from, n, 0), of_one(from.strides()),
                 of_one(from.shape()), size_of(to.dtype()));
  }

  Attention attention_;
  Inputs inputs_;
  const Tensor& output_;
  const int64_t* lengths_;
  char* memory_ = nullptr;
};

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

size_t cached_attention_scratch(const CachedAttention& op, Inputs inputs, std::span<const Tensor> outputs) {
  return scratch_of<SequencesApart>(op, inputs, outputs);
}
void cached_attention_cpu(const CachedAttention& op, Inputs inputs, Outputs outputs, void* scratch) {
  run_with<SequencesApart>(scratch, op, inputs, std::span<const Tensor>(outputs));
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
