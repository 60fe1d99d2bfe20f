#pragma once

#include <vector>

#include "runtime/plan.h"

namespace espalier::runtime {

struct ArenaSize {
  size_t bytes = 0;  ///< from the first buffer's beginning to the last one's end
  size_t least = 0;  ///< the most that lives at once
};

/// Says when each buffer is used, and gives those of the arena offsets such that buffers that may live at one
/// time, whatever the pace of the lanes, do not overlap: the largest first, each in the tightest gap that
/// fits
/// ("greedy by size" of Y. Pisarchyk and J. Lee, Efficient Memory Management for Deep Neural Net Inference,
/// 2020).
ArenaSize place_in_arena(std::vector<Buffer>& buffers, const std::vector<Step>& steps,
                         const std::vector<Stage>& stages);

}  // namespace espalier::runtime
