#include "runtime/plan.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "core/parallel.h"
#include "runtime/arena_internal.h"
#include "runtime/plan_builder_internal.h"

namespace espalier::runtime {

int threads_for_option(int threads) {
  if (threads < 0 || threads > kMaxThreads)
    throw ValueError("plan", std::to_string(threads) + " threads; expected 1 to " +
                                 std::to_string(kMaxThreads) + ", or 0 for num_threads()");
  return threads == 0 ? num_threads() : threads;
}

Plan::Plan(Graph graph, const PlanOptions& options) : graph_(std::move(graph)) {
  if (options.equality == Equality::strict && options.choices)
    throw ValueError("plan",
                     "is to have the bits of eager code and to choose kernels by their times; "
                     "leave out the kernel choices, or Equality::strict");
  PlanOptions counted = options;
  counted.threads = threads_for_option(options.threads);
  PlanBuilder built(graph_, counted);
  const ArenaSize size = place_in_arena(built.buffers, built.steps, built.stages);
  steps_ = std::move(built.steps);
  stages_ = std::move(built.stages);
  buffers_ = std::move(built.buffers);
  results_ = std::move(built.results);
  arena_bytes_ = size.bytes;
  least_arena_bytes_ = size.least;
  const bool forks = std::any_of(stages_.begin(), stages_.end(), [](const Stage& stage) {
    return stage.threads > 1 || stage.lanes.size() > 1;
  });
  threads_ = forks ? counted.threads : 1;
}

}  // namespace espalier::runtime
