#pragma once

#include <cstdint>

namespace espalier::runtime {

/// How close what a plan computes is to what the code that it was captured from computes when it runs as it
/// stands, on as many threads.
enum class Equality : uint8_t {
  /// Within the rounding of sums, which may be taken in another order: where a batch norm goes into a
  /// convolution's weights, or what follows a product into the product; where a linear layer's constant
  /// weights are packed; over images in another layout (assign_layouts); where the
  /// batch of a training step is cut into parts (split_where_it_pays()); and where a product or the gradient
  /// of a weight runs on another number of threads or by another kernel than in eager code (PlanOptions).
  /// That moves a sum by some units in the last place of its largest terms. Tests hold inference of the
  /// networks of `models` to 2e-6 in relative L2 distance; training steps that have none of it keep every
  /// bit.
  rounded,
  /// To the bit, NaN being NaN: nothing of that happens, so each step may use all threads, and no two steps
  /// run at the same time. It costs what those are worth: most in inference, and in small plans, which are
  /// faster on one thread. Capture and passes compute constants with num_threads() threads, so that should
  /// be the plan's number then.
  strict,
};

}  // namespace espalier::runtime
