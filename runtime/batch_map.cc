#include <algorithm>

#include "runtime/batch_map_internal.h"
#include "runtime/capture.h"

namespace espalier::runtime {

BatchMap::BatchMap(const Graph& graph, int parts) : graph_(graph), held_(graph.values().size(), Held::whole) {
  find_batch(parts);
  for (const Node& node : graph.nodes()) {
    if (!obstacle_.empty()) return;
    rules_.push_back(rule_of(node));
  }
  const auto works_on_examples = [](const std::optional<BatchRule>& rule) { return rule.has_value(); };
  if (obstacle_.empty() && std::none_of(rules_.begin(), rules_.end(), works_on_examples))
    obstacle_ = "no node reads the batch";
  const auto hides = [&](ValueId id) { return id != kAbsent && held(id) == Held::hidden; };
  for (const ValueId id : graph.outputs()) {
    if (hides(id)) obstacle_ = graph.name_of(id) + " is put out, and has no axis of examples";
  }
  for (const auto* changes : {&graph.updates(), &graph.gradients()}) {
    for (const StateUpdate& change : *changes) {
      if (hides(change.value))
        obstacle_ = graph.name_of(change.value) + " goes to " + graph.name_of(change.state) +
                    ", and has no axis of examples";
    }
  }
}

Tensors BatchMap::types_of(const Node& node) const {
  Tensors types;
  for (const ValueId id : node.inputs) types.push_back(id == kAbsent ? Tensor() : type(id));
  return types;
}

void BatchMap::find_batch(int parts) {
  if (graph_.inputs().empty() || type(graph_.inputs()[0]).rank() == 0) {
    obstacle_ = "the graph has no input with an axis of examples";
    return;
  }
  batch_ = type(graph_.inputs()[0]).shape()[0];
  if (parts < 2 || parts > batch_)
    obstacle_ = std::to_string(parts) + " parts of " + std::to_string(batch_) +
                " examples; expected 2 to as many as there are examples";
  for (const ValueId id : graph_.inputs()) {
    const bool gradient = graph_.value(id).name.ends_with(kGradientSuffix);
    if (!gradient && type(id).rank() > 0 && type(id).shape()[0] == batch_) set(id, Held::parts);
  }
}

std::optional<BatchRule> BatchMap::rule_of(const Node& node) {
  uint32_t held = 0, hidden = 0;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (node.inputs[i] == kAbsent) continue;
    if (is_apart(node.inputs[i])) held |= input_bit(i);
    if (this->held(node.inputs[i]) == Held::hidden) hidden |= input_bit(i);
  }
  if (held == 0) return {};
  const auto rule = batch_rule(*node.operation, types_of(node), held, batch_);
  const bool updates = std::any_of(node.outputs.begin(), node.outputs.end(), [&](ValueId id) {
    return graph_.value(id).kind == OutputSpec::Kind::update;
  });
  if (!rule || updates || (hidden & ~rule->unhides) != 0 || held == hidden) {
    obstacle_ = graph_.name_of(node.outputs[0]) + " = " + std::string(node.operation->name()) +
                " may depend on several examples at once";
    return {};
  }
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    const bool sum = rule->sums >> i & 1, hides = rule->hidden >> i & 1;
    set(node.outputs[i], sum ? Held::sums : hides ? Held::hidden : Held::parts);
  }
  return rule;
}

}  // namespace espalier::runtime
