#pragma once

#include <vector>

#include "runtime/graph.h"

namespace espalier::runtime {

/// How often each value is read, what the graph puts out included.
class Readers {
 public:
  explicit Readers(const Graph& graph) : count_(graph.values().size()), last_(graph.values().size(), -1) {
    const auto read = [&](ValueId id, int node) {
      if (id == kAbsent) return;
      ++count_[static_cast<size_t>(id)];
      last_[static_cast<size_t>(id)] = node;
    };
    for (size_t i = 0; i < graph.nodes().size(); ++i) {
      for (const ValueId id : graph.nodes()[i].inputs) read(id, static_cast<int>(i));
    }
    for (const ValueId id : graph.outputs()) read(id, -1);
    for (const StateUpdate& update : graph.updates()) read(update.value, -1);
    for (const StateUpdate& gradient : graph.gradients()) read(gradient.value, -1);
  }

  bool none(ValueId id) const { return count_[static_cast<size_t>(id)] == 0; }
  /// The node that alone reads the value, once; -1 where there is no such node.
  int only(ValueId id) const {
    return count_[static_cast<size_t>(id)] == 1 ? last_[static_cast<size_t>(id)] : -1;
  }

 private:
  std::vector<int> count_, last_;
};

/// The node's operation, if it is an Op.
template <class Op>
const Op* as(const Node& node) {
  return node.operation->name() == Op::kName ? static_cast<const Op*>(node.operation.get()) : nullptr;
}

/// The elements of a constant; null for any other value.
inline const Tensor* constant(const Graph& graph, ValueId id) {
  return id != kAbsent && graph.value(id).origin == Value::Origin::constant ? &graph.value(id).tensor
                                                                            : nullptr;
}

}  // namespace espalier::runtime
