#pragma once

#include <vector>

#include "runtime/step_cost_internal.h"

namespace espalier::runtime {

/// The fastest way, by the times of the steps and what each needs done before it, to cut them into stages. A
/// stage of several steps runs on one thread a lane; lanes are made of whole groups of steps that need each
/// other, the longest first, each in the lane with the least to do (R. Graham, Bounds on multiprocessing
/// timing anomalies, 1969). Consecutive steps of several parts of a batch are one stage, whose lanes have as
/// many parts each, unless a part needs another or nothing is to run side by side. One thread does everything
/// where others would hardly be faster.
std::vector<Stage> schedule(const std::vector<std::vector<int>>& dependencies,
                            const std::vector<StepSeconds>& seconds, int threads, SideBySide side_by_side);

/// One step after the other, each split over so many threads.
std::vector<Stage> stages_on(int threads, size_t steps);

}  // namespace espalier::runtime
