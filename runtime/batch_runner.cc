#include "runtime/batch_runner.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "runtime/batch_way_internal.h"
#include "runtime/given_tensors_internal.h"
#include "runtime/plan_builder_internal.h"

namespace espalier::runtime {

BatchRunner::BatchRunner(const BatchedGraph& graph, const BatchOptions& options) {
  if (options.parts < 0) {
    throw ValueError("batch runner",
                     std::to_string(options.parts) + " parts; expected 1 or more, or 0 for what is fastest");
  }
  PartGraphs graphs(graph, options.equality);
  const PlanOptions plan{.threads = threads_for_option(options.threads),
                         .choices = options.choices,
                         .side_by_side = options.side_by_side,
                         .equality = options.equality};
  if (options.equality == Equality::strict) {
    way_ = std::make_unique<BatchWay>(graphs, 1, plan);
  } else if (options.parts == 0 && options.choices) {
    way_ = timed_way(graphs, plan, timings_);
  } else {
    int64_t parts = options.parts == 0 ? estimated_parts(graphs, plan.threads) : options.parts;
    parts = std::clamp<int64_t>(graph.examples, 1, parts);
    const bool whole = parts > 1 && !graphs.refusal(parts).empty();
    way_ = std::make_unique<BatchWay>(graphs, whole ? 1 : parts, plan);
  }
  if (way_->parts() == 1) refusal_ = graphs.seen_refusal();
  for (const ValueId id : graphs.whole().inputs()) input_types_.push_back(graphs.whole().value(id).type);
}

BatchRunner::~BatchRunner() = default;
BatchRunner::BatchRunner(BatchRunner&&) noexcept = default;
BatchRunner& BatchRunner::operator=(BatchRunner&&) noexcept = default;

void BatchRunner::run(Inputs inputs, std::span<const Tensor> results) {
  check_count("inputs", inputs.size(), input_types_.size());
  check_count("results", results.size(), result_types().size());
  for (size_t i = 0; i < inputs.size(); ++i) check_given("input", i, inputs[i], input_types_[i]);
  for (size_t i = 0; i < results.size(); ++i) check_given("result", i, results[i], result_types()[i]);
  way_->run(inputs, results);
}

std::vector<Tensor> BatchRunner::run(Inputs inputs) {
  std::vector<Tensor> results = way_->new_results();
  run(inputs, results);
  return results;
}

int64_t BatchRunner::parts() const noexcept {
  return way_->parts();
}

int64_t BatchRunner::part_examples() const noexcept {
  return way_->largest();
}

int BatchRunner::threads() const noexcept {
  return way_->threads();
}

const std::vector<Tensor>& BatchRunner::result_types() const noexcept {
  return way_->result_types();
}

Runner& BatchRunner::runner() noexcept {
  return way_->runner();
}

const Plan& BatchRunner::plan() const noexcept {
  return way_->runner().plan();
}

}  // namespace espalier::runtime
