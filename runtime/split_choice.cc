#include <algorithm>
#include <utility>
#include <vector>

#include "runtime/split_batch.h"
#include "runtime/step_cost_internal.h"

namespace espalier::runtime {
namespace {

// About half of what a thread reads behind a step on several threads was written by another one. Where cores
// share a cache, that costs nothing, where they are far apart 0.03 ns a byte (9 to 27 GB/s instead of 30 to
// 55: bench/plan_threads); this lies between.
constexpr double kForeignByteSeconds = 0.01e-9;

// What it takes to wake a thread (runtime/schedule.cc): who wins less has a graph that one thread runs.
constexpr double kLeastGainSeconds = 20e-6;

/// A run of the graph as its nodes' costs have it: parts side by side, everything else split.
double estimated_run(const Graph& graph, int threads) {
  double seconds = 0;
  std::vector<double> lanes(static_cast<size_t>(threads));
  const auto join = [&] {
    seconds += *std::max_element(lanes.begin(), lanes.end());
    std::fill(lanes.begin(), lanes.end(), 0.0);
  };
  for (const Node& node : graph.nodes()) {
    const bool computes = std::any_of(node.outputs.begin(), node.outputs.end(), [&](ValueId id) {
      return graph.value(id).kind != OutputSpec::Kind::view;
    });
    if (!computes) continue;
    Step step{.operation = node.operation, .marks = node.marks};
    for (const ValueId id : node.inputs)
      step.inputs.push_back(id == kAbsent ? Operand() : Operand{0, graph.value(id).type});
    const StepSeconds estimate = estimated_seconds(step, threads);
    if (node.marks.part >= 0) {
      lanes[static_cast<size_t>(node.marks.part % threads)] += estimate.one;
    } else {
      join();
      const double foreign = 0.5 * kForeignByteSeconds * static_cast<double>(cost_of(step).bytes);
      seconds += std::min(estimate.one, estimate.all + foreign);
    }
  }
  join();
  return seconds;
}

}  // namespace

Graph split_where_it_pays(Graph graph, int threads) {
  if (threads < 2 || graph.updates().empty() || !why_not_split(graph, threads).empty()) return graph;
  Graph split = split_batch(graph, threads);
  const double gain = estimated_run(graph, threads) - estimated_run(split, threads);
  return gain >= kLeastGainSeconds ? std::move(split) : std::move(graph);
}

}  // namespace espalier::runtime
