#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/kernel_choices.h"
#include "runtime/runner.h"

namespace espalier::runtime {

class BatchWay;

/// A computation on a batch of any size.
struct BatchedGraph {
  /// The graph for a number of examples. What it throws for less than a whole batch means that there are no
  /// parts.
  std::function<Graph(int64_t examples)> at;
  /// The inputs, by number, that have the examples along axis 0; the others are the same for all. None: there
  /// is no batch.
  std::vector<int> inputs;
  int64_t examples = 1;
};

struct BatchOptions {
  /// As in PlanOptions.
  int threads = 0;
  /// As in PlanOptions, and times by which the number of parts is chosen: what is missing is timed and added.
  KernelChoices* choices = nullptr;
  /// The most parts that the batch is cut into, which it is where it can be; 1: it stays whole; 0: what is
  /// timed, or without `choices` estimated, to be fastest.
  int64_t parts = 0;
  /// As in PlanOptions, for a batch that stays whole.
  SideBySide side_by_side = SideBySide::worthwhile;
  /// As in PlanOptions; Equality::strict keeps the batch whole.
  Equality equality = Equality::rounded;
};

/// The same, with nothing said about parts.
inline BatchOptions batch_options(const PlanOptions& options) {
  return {.threads = options.threads,
          .choices = options.choices,
          .side_by_side = options.side_by_side,
          .equality = options.equality};
}

/// Runs a graph on a batch as a whole, or cut into parts: then each part goes through all layers on one
/// thread, by a plan of its own, and parts run side by side. Threads need not wait for each other at each
/// step, nor read what another core wrote; and where there are more parts than threads, what lies between the
/// layers of a part may stay in a core's cache.
///
/// A batch is cut only where the graph is known to compute each example by itself and to lay the examples one
/// behind the other in its inputs and results, which parts then read and write where they are; and never
/// where a run changes states: such a graph is left to split_where_it_pays(). Kernels may add up otherwise
/// for a part than for the whole, so the bits of an answer may depend on the number of parts, within what the
/// plans of both promise; they do not depend on which thread has a part, or when.
///
/// One thread at a time may use it.
class ESPALIER_API BatchRunner {
 public:
  /// Makes the plans. Throws what BatchedGraph::at throws for the whole batch, Plan and Runner; ValueError
  /// for parts below 0, threads as Plan does, or inputs that the graph does not have.
  explicit BatchRunner(const BatchedGraph& graph, const BatchOptions& options = {});
  ~BatchRunner();
  BatchRunner(BatchRunner&&) noexcept;
  BatchRunner& operator=(BatchRunner&&) noexcept;

  /// As Runner::run(): takes no memory, and throws what that throws.
  void run(Inputs inputs, std::span<const Tensor> results);
  std::vector<Tensor> run(Inputs inputs);

  /// How many parts the batch is cut into; 1: it is run as a whole.
  int64_t parts() const noexcept;
  /// The examples of the largest part.
  int64_t part_examples() const noexcept;
  /// The threads that a run uses, its caller's included.
  int threads() const noexcept;
  /// Why the batch is not cut, where that was looked into and found impossible; else empty.
  const std::string& refusal() const noexcept { return refusal_; }
  /// What was timed, fastest first: `2 parts`. None where nothing was.
  const KernelChoices::Timings& timings() const noexcept { return timings_; }

  /// The whole batch's shapes, types and layouts, on meta: of inputs and results.
  const std::vector<Tensor>& input_types() const noexcept { return input_types_; }
  const std::vector<Tensor>& result_types() const noexcept;

  /// What runs the whole batch, or its largest part.
  Runner& runner() noexcept;
  const Plan& plan() const noexcept;

 private:
  std::unique_ptr<BatchWay> way_;
  std::vector<Tensor> input_types_;
  std::string refusal_;
  KernelChoices::Timings timings_;
};

}  // namespace espalier::runtime
