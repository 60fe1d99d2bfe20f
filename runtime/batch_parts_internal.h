#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "runtime/part_graphs_internal.h"
#include "runtime/runner.h"

namespace espalier::runtime {

/// Runs a batch in parts, which threads take one after the other, the largest first.
class BatchParts {
 public:
  /// For a number of parts that graphs.refusal() has nothing against.
  BatchParts(PartGraphs& graphs, int64_t parts, int threads, KernelChoices* choices);

  /// `inputs` and `results` have the types of the whole batch.
  void run(Inputs inputs, std::span<const Tensor> results);

  int64_t count() const noexcept { return static_cast<int64_t>(parts_.size()); }
  int64_t largest() const noexcept { return parts_.front().examples; }
  int threads() const noexcept { return static_cast<int>(lanes_.size()); }
  /// Of the whole batch, on meta.
  const std::vector<Tensor>& result_types() const noexcept { return result_types_; }
  Runner& runner() noexcept { return lanes_.front().large; }

 private:
  /// A tensor of the caller, or some rows of it.
  struct Window {
    Tensor tensor;
    bool of_batch;
  };
  struct Part {
    int64_t first, examples;
    std::vector<Window> windows;  ///< inputs, then results
    std::vector<Tensor> inputs, results;
  };
  /// What a thread needs for itself.
  struct Lane {
    Runner large;
    std::unique_ptr<Runner> small;  ///< null where no part has fewer examples
  };

  Part new_part(const PartGraphs& graphs, const Plan& plan, int64_t first, int64_t examples) const;
  void point(const Window& window, int64_t first, const Tensor& given) const;
  void run_part(Lane& lane, Part& part, Inputs inputs, std::span<const Tensor> results);

  int64_t examples_;
  std::vector<Lane> lanes_;
  std::vector<Part> parts_;
  std::vector<Tensor> result_types_;
  std::atomic<int64_t> next_ = 0;  ///< the part that no thread has taken yet
};

}  // namespace espalier::runtime
