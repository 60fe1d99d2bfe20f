#include "runtime/plan.h"

#include <utility>

#include "core/parallel.h"
#include "runtime/arena_internal.h"
#include "runtime/plan_builder_internal.h"

namespace espalier::runtime {

Plan::Plan(Graph graph, KernelChoices* choices) : graph_(std::move(graph)), threads_(num_threads()) {
  PlanBuilder built(graph_, choices);
  const ArenaSize size = place_in_arena(built.buffers, built.steps.size());
  steps_ = std::move(built.steps);
  buffers_ = std::move(built.buffers);
  results_ = std::move(built.results);
  arena_bytes_ = size.bytes;
  least_arena_bytes_ = size.least;
}

}  // namespace espalier::runtime
