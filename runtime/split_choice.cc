#include <utility>

#include "runtime/split_batch.h"
#include "runtime/step_cost_internal.h"

namespace espalier::runtime {
namespace {

// What it takes to wake a thread (runtime/schedule.cc): who wins less has a graph that one thread runs.
constexpr double kLeastGainSeconds = 20e-6;

}  // namespace

Graph split_where_it_pays(Graph graph, int threads) {
  if (threads < 2 || graph.updates().empty() || !why_not_split(graph, threads).empty()) return graph;
  Graph split = split_batch(graph, threads);
  const double gain = estimated_seconds(graph, threads).all - estimated_seconds(split, threads).all;
  return gain >= kLeastGainSeconds ? std::move(split) : std::move(graph);
}

}  // namespace espalier::runtime
