#pragma once

#include "runtime/plan.h"

namespace espalier::runtime {

/// What one run of the step computes and moves.
Cost cost_of(const Step& step);

/// How long a graph takes, by the costs of its nodes: on one thread, and where each node is split over all or
/// runs on one, whichever is shorter, and parts of a batch run side by side.
struct GraphSeconds {
  double one, all;
};
GraphSeconds estimated_seconds(const Graph& graph, int threads);

/// How long a step takes on one thread and on all threads of a plan.
struct StepSeconds {
  double one, all;
  bool alone;  ///< it runs beside no other
  int part;    ///< of a batch; -1: of none
};

/// By its cost and what this library's kernels reach.
StepSeconds estimated_seconds(const Step& step, int threads);

/// Whether the estimates leave it open which of the two is shorter.
bool worth_timing(const StepSeconds& estimate);

}  // namespace espalier::runtime
