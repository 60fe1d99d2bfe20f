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
  /// What it takes longer on one thread if that one runs everything: see stays_near_if_shared(). Lanes share
  /// what a plan reads, too.
  double far = 0;

  double one_for_all() const { return one + far; }
};

/// By its cost and what this library's kernels reach.
StepSeconds estimated_seconds(const Step& step, int threads);

/// What a core has of its own, in bytes.
size_t second_level_cache();

/// Whether what a plan reads in each run, `bytes`, stays in the cores' own caches if all threads share it,
/// and leaves that of one core before the next run if one thread reads it.
bool stays_near_if_shared(size_t bytes, int threads);
/// What it takes longer to read so many bytes from beyond a core's own cache.
double seconds_from_afar(size_t bytes);

/// Whether the estimates leave it open which of the two is shorter.
bool worth_timing(const StepSeconds& estimate);

}  // namespace espalier::runtime
