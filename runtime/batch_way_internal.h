#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/batch_parts_internal.h"
#include "runtime/part_graphs_internal.h"

namespace espalier::runtime {

/// How a batch is run: as a whole, or in parts.
class BatchWay {
 public:
  /// In so many parts, which graphs.refusal() has nothing against.
  BatchWay(PartGraphs& graphs, int64_t parts, const PlanOptions& options);

  void run(Inputs inputs, std::span<const Tensor> results);
  std::vector<Tensor> new_results() const;

  int64_t parts() const noexcept { return parts_ ? parts_->count() : 1; }
  int64_t largest() const noexcept { return parts_ ? parts_->largest() : examples_; }
  int threads() const noexcept { return parts_ ? parts_->threads() : whole_->plan().threads(); }
  const std::vector<Tensor>& result_types() const noexcept { return result_types_; }
  Runner& runner() noexcept { return parts_ ? parts_->runner() : *whole_; }

 private:
  int64_t examples_;
  std::unique_ptr<Runner> whole_;
  std::unique_ptr<BatchParts> parts_;
  std::vector<Tensor> result_types_;
};

/// Whether a cut into so many parts can win what it takes to wake a thread.
bool may_pay(const PartGraphs& graphs, int64_t parts);

/// The number of parts that a batch is estimated to run fastest in: 1; one for each thread; or so many that
/// what a part's layers hand on stays in a core's cache.
int64_t estimated_parts(PartGraphs& graphs, int threads);

/// The way that is fastest by the times of options.choices, which are taken where there are none; they are
/// left in `timings`. Where they cannot be taken, that is estimated.
std::unique_ptr<BatchWay> timed_way(PartGraphs& graphs, const PlanOptions& options,
                                    KernelChoices::Timings& timings);

}  // namespace espalier::runtime
