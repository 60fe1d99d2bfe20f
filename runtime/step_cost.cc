#include <algorithm>
#include <vector>

#include <unistd.h>

#include "runtime/step_cost_internal.h"

namespace espalier::runtime {
namespace {

// Measured by bench/plan_threads on 2 cores of an EPYC 9004 with AVX-512, a thread: products and convolutions
// of networks for images and texts reach 30 to 110 Gflop/s, passes over memory 30 to 55 GB/s, products with
// one row 85 GB/s.
constexpr double kFlopsPerSecond = 100e9;
constexpr double kBytesPerSecond = 50e9;
// What a step that two threads share takes beyond half of its time on one: the fork, 0.7 us, and parts that
// are uneven or packed twice. Seen are 2 us for the product of one row with a matrix of 256 x 256, and 6 us
// for one of 0.3 Mflop: products break even at 4 to 12 us.
constexpr double kSplitSeconds = 4e-6;
// Estimates are seldom further off than this.
constexpr double kDoubt = 8;
// What a core reads of what another one wrote: 9 to 27 GB/s where they share no cache, and as anything else
// where they do. A process does not know which, so this is in between.
constexpr double kForeignBytesPerSecond = 25e9;

// What a core reads of what no core's own cache holds: 24 GB/s from the third-level cache of a Xeon (Emerald
// Rapids). It is faster on an EPYC 9004, but there few plans have weights of between one and two such caches.
constexpr double kFarBytesPerSecond = 25e9;

Cost cost_of(const Operation& operation, Inputs inputs) {
  OutputSpecs specs;
  operation.infer(inputs, specs);
  return operation.cost(inputs, specs);
}

double seconds_on_one(const Cost& cost) {
  return static_cast<double>(cost.flops) / kFlopsPerSecond +
         static_cast<double>(cost.bytes) / kBytesPerSecond;
}

/// What nodes read of what other nodes computed, in bytes.
double bytes_handed_over(const Graph& graph, const Node& node) {
  size_t bytes = 0;
  for (const ValueId id : node.inputs) {
    if (id == kAbsent || graph.value(id).origin != Value::Origin::node) continue;
    const Tensor& type = graph.value(id).type;
    bytes += static_cast<size_t>(type.numel()) * size_of(type.dtype());
  }
  return static_cast<double>(bytes);
}

/// Whether a run has nothing to do for the node.
bool only_views(const Graph& graph, const Node& node) {
  return std::all_of(node.outputs.begin(), node.outputs.end(),
                     [&](ValueId id) { return graph.value(id).kind == OutputSpec::Kind::view; });
}

}  // namespace

Cost cost_of(const Step& step) {
  Tensors inputs;
  for (const Operand& input : step.inputs) inputs.push_back(input.buffer < 0 ? Tensor() : input.type);
  return cost_of(*step.operation, inputs);
}

StepSeconds estimated_seconds(const Step& step, int threads) {
  const double one = seconds_on_one(cost_of(step));
  // What is computed again is there to save memory, which steps side by side take more of.
  return {one, one / threads + kSplitSeconds, step.marks.again, step.marks.part};
}

GraphSeconds estimated_seconds(const Graph& graph, int threads) {
  constexpr double kForeignSeconds = 1 / kForeignBytesPerSecond - 1 / kBytesPerSecond;
  GraphSeconds seconds{0, 0};
  std::vector<double> lanes(static_cast<size_t>(threads));  // parts of a batch since the last other node
  const auto join = [&] {
    seconds.all += *std::max_element(lanes.begin(), lanes.end());
    std::fill(lanes.begin(), lanes.end(), 0.0);
  };
  for (const Node& node : graph.nodes()) {
    if (only_views(graph, node)) continue;
    Tensors inputs;
    for (const ValueId id : node.inputs) inputs.push_back(id == kAbsent ? Tensor() : graph.value(id).type);
    const double one = seconds_on_one(cost_of(*node.operation, inputs));
    seconds.one += one;
    if (node.marks.part >= 0) {
      lanes[static_cast<size_t>(node.marks.part % threads)] += one;
      continue;
    }
    join();
    // Of a thread's share, all but its own part was written by others.
    const double foreign = bytes_handed_over(graph, node) * (threads - 1) / threads / threads;
    seconds.all += std::min(one, one / threads + kSplitSeconds + foreign * kForeignSeconds);
  }
  join();
  return seconds;
}

size_t second_level_cache() {
  constexpr long kUsual = 1 << 20;  // of the server processors of 2020 and later
  const long bytes = sysconf(_SC_LEVEL2_CACHE_SIZE);
  return static_cast<size_t>(bytes > 0 ? bytes : kUsual);
}

bool stays_near_if_shared(size_t bytes, int threads) {
  const size_t cache = second_level_cache();
  return bytes > cache && bytes <= cache * static_cast<size_t>(threads);
}

double seconds_from_afar(size_t bytes) {
  return static_cast<double>(bytes) * (1 / kFarBytesPerSecond - 1 / kBytesPerSecond);
}

bool worth_timing(const StepSeconds& estimate) {
  return estimate.one < kDoubt * kSplitSeconds && kDoubt * estimate.one > kSplitSeconds;
}

}  // namespace espalier::runtime
