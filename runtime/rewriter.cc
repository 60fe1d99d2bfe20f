#include "runtime/rewriter.h"

#include <algorithm>
#include <sstream>
#include <utility>

#include "core/error.h"

namespace espalier::runtime {

namespace {

constexpr std::string_view kRewriting = "rewriter";

}  // namespace

Rewriter::Rewriter(const Graph& from) : from_(from), now_(from.values().size(), kAbsent) {
  const auto take = [&](ValueId old, ValueId made) { now_[static_cast<size_t>(old)] = made; };
  for (const ValueId id : from.inputs()) take(id, to_.add_input(from.value(id).name, from.value(id).type));
  for (const ValueId id : from.states()) take(id, to_.add_state(from.value(id).name, from.value(id).tensor));
}

ValueId Rewriter::now(ValueId old) {
  if (old == kAbsent) return kAbsent;
  const Value& value = from_.value(old);
  ValueId& known = now_[static_cast<size_t>(old)];
  if (known == kAbsent && value.origin != Value::Origin::constant) {
    throw ValueError(kRewriting, from_.name_of(old) +
                                     " is read, but the node that computes it is neither "
                                     "kept nor replaced before");
  }
  if (known == kAbsent) known = to_.add_constant(value.tensor);
  return known;
}

void Rewriter::keep(const Node& node) {
  std::vector<ValueId> inputs;
  for (const ValueId id : node.inputs) inputs.push_back(now(id));
  const ValueIds outputs = to_.add(node.operation, inputs, node.marks);
  for (size_t i = 0; i < outputs.size(); ++i) replace(node.outputs[i], outputs[i]);
}

ValueIds Rewriter::add(const Operation& operation, std::initializer_list<ValueId> old) {
  std::vector<ValueId> inputs;
  for (const ValueId id : old) inputs.push_back(now(id));
  return to_.add(operation, inputs);
}

void Rewriter::replace(ValueId old, ValueId now) {
  const Tensor &before = from_.value(old).type, &after = to_.value(now).type;
  if (before.shape() != after.shape() || before.dtype() != after.dtype()) {
    throw ValueError(kRewriting, from_.name_of(old) + " is " + type_text(before) + "; " + to_.name_of(now) +
                                     ", " + type_text(after) + ", cannot take its place");
  }
  now_[static_cast<size_t>(old)] = now;
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
