#include <algorithm>
#include <sstream>
#include <utility>

#include "runtime/rewriter_internal.h"

namespace espalier::runtime {

Rewriter::Rewriter(const Graph& from) : from_(from), now_(from.values().size(), kAbsent) {
  for (const ValueId id : from.inputs()) replace(id, to_.add_input(from.value(id).name, from.value(id).type));
  for (const ValueId id : from.states())
    replace(id, to_.add_state(from.value(id).name, from.value(id).tensor));
}

ValueId Rewriter::now(ValueId old) {
  if (old == kAbsent) return kAbsent;
  ValueId& known = now_[static_cast<size_t>(old)];
  if (known == kAbsent)
    known = to_.add_constant(from_.value(old).tensor);  // the others are there before they are read
  return known;
}

void Rewriter::keep(const Node& node) {
  std::vector<ValueId> inputs;
  for (const ValueId id : node.inputs) inputs.push_back(now(id));
  const ValueIds outputs = to_.add(node.operation, inputs);
  for (size_t i = 0; i < outputs.size(); ++i) replace(node.outputs[i], outputs[i]);
}

Graph Rewriter::finish() {
  std::vector<ValueId> outputs;
  for (const ValueId id : from_.outputs()) outputs.push_back(now(id));
  to_.set_outputs(std::move(outputs));
  for (const StateUpdate& update : from_.updates()) to_.update_state(now(update.state), now(update.value));
  for (const StateUpdate& gradient : from_.gradients())
    to_.set_gradient(now(gradient.state), now(gradient.value));
  return std::move(to_);
}

std::vector<bool> needed_nodes(const Graph& graph) {
  std::vector<bool> read(graph.values().size()), needed(graph.nodes().size());
  const auto use = [&](ValueId id) {
    if (id != kAbsent) read[static_cast<size_t>(id)] = true;
  };
  std::for_each(graph.outputs().begin(), graph.outputs().end(), use);
  for (const StateUpdate& update : graph.updates()) use(update.value);
  for (const StateUpdate& gradient : graph.gradients()) use(gradient.value);
  for (size_t i = graph.nodes().size(); i-- > 0;) {
    const Node& node = graph.nodes()[i];
    needed[i] = std::any_of(node.outputs.begin(), node.outputs.end(),
                            [&](ValueId id) { return read[static_cast<size_t>(id)]; });
    if (needed[i]) std::for_each(node.inputs.begin(), node.inputs.end(), use);
  }
  return needed;
}

std::string signature(const Operation& operation) {
  std::ostringstream text;
  text << operation.name() << '(' << attributes_of(operation) << ')';
  return text.str();
}

}  // namespace espalier::runtime
