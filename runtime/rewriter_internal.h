#pragma once

#include <vector>

#include "runtime/graph.h"

namespace espalier::runtime {

/// Builds a graph from another one, node by node, with some left out or replaced. Inputs and states stay.
class Rewriter {
 public:
  explicit Rewriter(const Graph& from);

  const Graph& from() const noexcept { return from_; }
  Graph& to() noexcept { return to_; }

  /// What a value of the old graph has become in the new one.
  ValueId now(ValueId old);
  /// Takes a node over.
  void keep(const Node& node);
  /// Says that an old value has become this one of the new graph.
  void replace(ValueId old, ValueId now) { now_[static_cast<size_t>(old)] = now; }
  /// Takes over what the graph puts out, and ends.
  Graph finish();

 private:
  const Graph& from_;
  Graph to_;
  std::vector<ValueId> now_;
};

/// For each node, whether anything that the graph puts out depends on it.
std::vector<bool> needed_nodes(const Graph& graph);

/// Name and attributes of an operation: equal for operations that compute the same.
std::string signature(const Operation& operation);

}  // namespace espalier::runtime
