#include <algorithm>
#include <utility>

#include "core/create.h"
#include "runtime/batch_way_internal.h"
#include "runtime/split_batch.h"
#include "runtime/step_cost_internal.h"

namespace espalier::runtime {
namespace {

// Waking a thread takes 8 to 80 us (core/parallel.h): a cut that wins less than this wins nothing.
constexpr double kLeastPartGain = 20e-6;
// What weights cost that are read once for each part, beyond once for each thread. Parts that stay in the
// second-level cache are up to 1.2 times as fast as one part a thread (bench/plan_threads, seednet with 16
// images), and no faster where there is little to keep.
constexpr double kMostRepeated = 1.05;

/// What the largest node reads of others and hands on, in bytes.
size_t most_handed_on(const Graph& graph) {
  const auto bytes_of_all = [&](const ValueIds& ids) {
    size_t bytes = 0;
    for (const ValueId id : ids) {
      if (id == kAbsent || graph.value(id).origin != Value::Origin::node) continue;
      const Tensor& type = graph.value(id).type;
      bytes += static_cast<size_t>(type.numel()) * size_of(type.dtype());
    }
    return bytes;
  };
  size_t most = 0;
  for (const Node& node : graph.nodes())
    most = std::max(most, bytes_of_all(node.inputs) + bytes_of_all(node.outputs));
  return most;
}

}  // namespace

BatchWay::BatchWay(PartGraphs& graphs, int64_t parts, const PlanOptions& options)
    : examples_(graphs.examples()) {
  if (parts > 1) {
    parts_ = std::make_unique<BatchParts>(graphs, parts, options.threads, options.choices);
    result_types_ = parts_->result_types();
    return;
  }
  Graph whole = graphs.whole();
  if (options.equality == Equality::rounded) whole = split_where_it_pays(std::move(whole), options.threads);
  whole_ = std::make_unique<Runner>(std::make_shared<const Plan>(std::move(whole), options));
  for (const Operand& result : whole_->plan().results()) result_types_.push_back(result.type);
}

void BatchWay::run(Inputs inputs, std::span<const Tensor> results) {
  if (parts_)
    parts_->run(inputs, results);
  else
    whole_->run(inputs, results);
}

std::vector<Tensor> BatchWay::new_results() const {
  std::vector<Tensor> results;
  for (const Tensor& type : result_types_)
    results.push_back(empty_strided(type.shape(), type.strides(), type.dtype()));
  return results;
}

bool may_pay(const PartGraphs& graphs, int64_t parts) {
  const double one = estimated_seconds(graphs.whole(), 1).one;
  return one - one / static_cast<double>(parts) >= kLeastPartGain;
}

int64_t estimated_parts(PartGraphs& graphs, int threads) {
  const int64_t parts = std::min<int64_t>(threads, graphs.examples());
  // Asking for a part may run a person's code.
  if (parts < 2 || !may_pay(graphs, parts) || !graphs.refusal(parts).empty()) return 1;
  const auto seconds = [&](int64_t count) {
    const double part = estimated_seconds(graphs.part(graphs.largest(count)), 1).one;
    const int64_t parts_of_thread = (count + threads - 1) / threads;
    return part * static_cast<double>(parts_of_thread);
  };
  const double one_each = seconds(parts);
  if (estimated_seconds(graphs.whole(), threads).all - one_each < kLeastPartGain) return 1;
  int64_t many = parts;
  size_t bytes = most_handed_on(graphs.part(graphs.largest(parts)));
  for (; many < graphs.examples() && bytes > second_level_cache(); bytes /= 2) many *= 2;
  many = std::min(many, graphs.examples());
  const bool pays = many > parts && graphs.refusal(many).empty() && seconds(many) <= kMostRepeated * one_each;
  return pays ? many : parts;
}

}  // namespace espalier::runtime
