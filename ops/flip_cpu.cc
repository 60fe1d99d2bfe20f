#include "core/strided_copy_internal.h"
#include "ops/flip.h"

namespace espalier {

void flip_cpu(const Flip& op, Inputs inputs, Outputs outputs) {
  const Tensor& input = inputs[0];
  if (input.numel() == 0) return;
  // Walks back from the last element along the reversed axes.
  Strides strides = input.strides();
  int64_t first = 0;
  for (int i = 0; i < input.rank(); ++i) {
    if (!(op.reversed(input.rank()) >> i & 1u)) continue;
    first += (input.shape()[i] - 1) * strides[i];
    strides[i] = -strides[i];
  }
  const size_t element = size_of(input.dtype());
  const char* from = static_cast<const char*>(input.raw_data()) + first * static_cast<int64_t>(element);
  copy_strided(outputs[0].raw_data(), outputs[0].strides(), from, strides, input.shape(), element);
}

}  // namespace espalier
