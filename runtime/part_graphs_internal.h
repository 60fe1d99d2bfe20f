#pragma once

#include <map>
#include <string>

#include "runtime/batch_axes_internal.h"
#include "runtime/batch_runner.h"

namespace espalier::runtime {

/// The graphs of a batch and of its parts after all passes, each made once.
class PartGraphs {
 public:
  /// Throws what BatchedGraph::at throws, ValueError for inputs that the graph does not have.
  explicit PartGraphs(const BatchedGraph& batched, Equality equality = Equality::rounded);

  int64_t examples() const noexcept { return batched_.examples; }
  const BatchedGraph& batched() const noexcept { return batched_; }
  const Graph& whole() const noexcept { return whole_; }

  /// Parts of `part_size` or one less make up the batch.
  int64_t largest(int64_t parts) const { return (examples() + parts - 1) / parts; }
  /// How many parts are of the largest size.
  int64_t count_of_largest(int64_t parts) const { return examples() - parts * (largest(parts) - 1); }

  /// Why the batch cannot be cut into so many parts; empty: it can.
  std::string refusal(int64_t parts);
  /// The first reason that was found; empty where none was.
  std::string seen_refusal() const {
    for (const auto& [examples, made] : made_) {
      if (!made.refusal.empty()) return made.refusal;
    }
    return "";
  }
  /// The graph for a part that refusal() has looked at.
  const Graph& part(int64_t examples) const { return made_.at(examples).graph; }

 private:
  struct Made {
    std::string refusal;
    Graph graph;
  };
  const Made& made(int64_t examples);

  BatchedGraph batched_;
  Graph raw_, whole_;  ///< before and after the passes
  std::map<int64_t, Made> made_;
};

}  // namespace espalier::runtime
