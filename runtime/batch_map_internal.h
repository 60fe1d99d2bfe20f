#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/batch_rules_internal.h"
#include "runtime/graph.h"

namespace espalier::runtime {

enum class Held : uint8_t {
  whole,   ///< the same for all examples
  parts,   ///< examples along the first axis
  hidden,  ///< examples along another one
  sums,    ///< of examples: the parts' are to be added up
};

/// What each value of a graph holds that is to be cut into parts, and which nodes work on examples.
class BatchMap {
 public:
  /// `graph` must outlive it.
  BatchMap(const Graph& graph, int parts);

  /// Why the graph cannot be cut; empty where it can. Nothing below is to be asked otherwise.
  const std::string& obstacle() const noexcept { return obstacle_; }
  int64_t batch() const noexcept { return batch_; }
  Held held(ValueId id) const { return held_[static_cast<size_t>(id)]; }
  /// Whether each part has a value of its own.
  bool is_apart(ValueId id) const {
    return id != kAbsent && (held(id) == Held::parts || held(id) == Held::hidden);
  }
  /// Null for a node that works on what is the same for all examples.
  const BatchRule* rule(size_t node) const {
    const std::optional<BatchRule>& rule = rules_[node];
    return rule ? &*rule : nullptr;
  }
  /// Of a node's inputs.
  Tensors types_of(const Node& node) const;

 private:
  void find_batch(int parts);
  std::optional<BatchRule> rule_of(const Node& node);

  const Tensor& type(ValueId id) const { return graph_.value(id).type; }
  void set(ValueId id, Held held) { held_[static_cast<size_t>(id)] = held; }

  const Graph& graph_;
  int64_t batch_ = 0;
  std::string obstacle_;
  std::vector<Held> held_;
  std::vector<std::optional<BatchRule>> rules_;
};

}  // namespace espalier::runtime
