#include <string>

#include "core/error.h"
#include "ops/attention.h"
#include "ops/cached_attention.h"
#include "ops/copy.h"
#include "ops/slice.h"

namespace espalier {
namespace {

/// Sequence n of a tensor, [1, ...].
Tensor sequence(const Tensor& tensor, int64_t n) {
  return slice(tensor, 0, {n, n + 1});
}

void check_lengths(const int64_t* lengths, int64_t count, int64_t steps, int64_t capacity) {
  for (int64_t n = 0; n < count; ++n) {
    if (lengths[n] >= 0 && lengths[n] <= capacity - steps) continue;
    throw ValueError(CachedAttention::kName, "sequence " + std::to_string(n) + " has " +
                                                 std::to_string(lengths[n]) + " steps, to which " +
                                                 std::to_string(steps) + " come; the cache holds " +
                                                 std::to_string(capacity));
  }
}

}  // namespace

void cached_attention_cpu(const CachedAttention& op, Inputs inputs, Outputs outputs) {
  const Tensor &q = inputs[0], &k = inputs[1], &v = inputs[2], &keys = inputs[3], &values = inputs[4];
  const int64_t sequences = q.size(0), steps = q.size(2);
  const Tensor lengths = contiguous(inputs[5]);
  const auto* const filled = static_cast<const int64_t*>(lengths.raw_data());
  check_lengths(filled, sequences, steps, keys.size(2));
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

}  // namespace espalier
