#pragma once

#include <string>
#include <vector>

#include "runtime/graph.h"

namespace espalier::runtime {

/// Edits a graph by building another one from it, node by node: each is kept, left out or replaced, and new
/// ones come between. Inputs and states are taken over at once, constants when they are read. This puts a
/// clamp behind every ReLU:
///
///   Rewriter rewriter(graph);
///   for (const Node& node : graph.nodes()) {
///     rewriter.keep(node);
///     const ValueId y = node.outputs[0];
///     if (node.operation->name() == Relu::kName) rewriter.replace(y, rewriter.add(Clamp({0, 6}), {y})[0]);
///   }
///   const Graph edited = rewriter.finish();
///
/// What it builds is checked as it grows: what add() and replace() take is right or refused.
class ESPALIER_API Rewriter {
 public:
  /// `from` must outlive it.
  explicit Rewriter(const Graph& from);
  explicit Rewriter(Graph&&) = delete;

  const Graph& from() const noexcept { return from_; }
  Graph& to() noexcept { return to_; }

  /// What a value of the old graph has become in the new one. Throws ValueError where its node is neither
  /// kept nor replaced yet, or there is no such value.
  ValueId now(ValueId old);
  /// Takes a node over. Throws what Graph::add does: where an input was replaced by another layout, say.
  void keep(const Node& node);
  /// Adds an operation on what values of the old graph have become; gives its outputs in the new graph.
  /// Throws what Graph::add does.
  ValueIds add(const Operation& operation, std::initializer_list<ValueId> old);
  /// Says that an old value has become this one of the new graph, which those who read it from here on get.
  /// Throws ValueError unless both have one shape and type.
  void replace(ValueId old, ValueId now);
  /// Takes over what the graph puts out, updates and leaves as gradients, and ends. Throws ValueError where
  /// one of these is neither kept nor replaced.
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
