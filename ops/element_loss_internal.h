#pragma once

#include "ops/element_loss.h"
#include "ops/elementwise_internal.h"

namespace espalier {

/// Elements of which the losses are summed by one thread: the same sums for any number of them.
inline constexpr int64_t kLossBlock = 32 * kTile;

/// How many sums of blocks a loss brings together.
inline int64_t count_loss_blocks(int64_t elements) {
  return (elements + kLossBlock - 1) / kLossBlock;
}

/// The scratch memory of such a loss's kernel: the sums of its blocks, in double.
inline size_t scratch_of_loss(const ElementLoss& loss, Inputs inputs, std::span<const Tensor>) {
  if (loss.reduction() == LossReduction::none) return 0;
  return static_cast<size_t>(count_loss_blocks(inputs[0].numel())) * sizeof(double);
}

}  // namespace espalier
