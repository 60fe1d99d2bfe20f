#pragma once

#include <vector>

#include "runtime/plan.h"

namespace espalier::runtime {

struct ArenaSize {
  size_t bytes = 0;  ///< from the first buffer's beginning to the last one's end
  size_t least = 0;  ///< the most that lives at once
};

/// Gives each buffer of the arena an offset such that buffers that live at one time do not overlap: the
/// largest first, each in the tightest gap that fits ("greedy by size" of Y. Pisarchyk and J. Lee, Efficient
/// Memory Management for Deep Neural Net Inference, 2020).
ArenaSize place_in_arena(std::vector<Buffer>& buffers, size_t steps);

}  // namespace espalier::runtime
