#pragma once

#include <memory>
#include <vector>

#include "runtime/batch_runner.h"
#include "runtime/graph_family.h"

namespace espalier::runtime {

/// Runs a family of graphs at the sizes of what it is given: for each choice of sizes, and number of threads,
/// there is a plan, made the first time.
///
///   runtime::FamilyRunner model(runtime::load_package("digits.safetensors").graphs);
///   const Tensor answers = model.run(images)[0];  // as many as there are
///
/// Each plan has weights packed for its kernels and an arena of its own, so only the latest are kept. One
/// thread at a time may use it.
class ESPALIER_API FamilyRunner {
 public:
  /// Keeps up to `most_plans`; throws ValueError for less than one. The default, 16, is enough for batches of
  /// one size with their rests, and for a server that fills batches of up to 16.
  explicit FamilyRunner(GraphFamily family, size_t most_plans = 16);
  FamilyRunner(GraphFamily family, const PlanOptions& options, size_t most_plans = 16);

  const GraphFamily& family() const noexcept { return family_; }
  /// Plans made from now on choose their kernels by these times (see Plan); null: by rules. `choices`
  /// outlives them all.
  void choose_kernels_by(KernelChoices* choices) noexcept { options_.choices = choices; }
  /// Batches, where the first axis of inputs is free, run in at most so many parts from the next plan on; 0,
  /// as at the beginning: in as many as is fastest (BatchOptions::parts).
  void cut_batches(int64_t parts) noexcept { options_.parts = parts; }

  /// What the graph of the inputs' sizes puts out. Inputs may have any layout. Throws what
  /// GraphFamily::sizes_of() and at(), BatchRunner and its run() throw.
  std::vector<Tensor> run(Inputs inputs);
  /// The runner for these sizes, made where there is none; it stays until `most_plans` others were used after
  /// it.
  BatchRunner& at(const Sizes& sizes);
  /// How many plans there are.
  size_t plan_count() const noexcept { return made_.size(); }

 private:
  struct Made {
    Sizes sizes;
    int threads;  ///< num_threads() when it was made, of which the plan may use fewer
    BatchRunner runner;
  };
  BatchedGraph batched(const Sizes& sizes) const;

  GraphFamily family_;
  size_t most_plans_;
  BatchOptions options_;
  std::vector<std::unique_ptr<Made>> made_;  ///< the latest first
};

}  // namespace espalier::runtime
