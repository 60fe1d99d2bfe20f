#include <algorithm>

#include "core/door.h"
#include "runtime/passes.h"
#include "runtime/rewriter.h"

namespace espalier::runtime {

Graph freeze(const Graph& graph, std::span<const ValueId> states) {
  Rewriter rewriter(graph);
  for (const ValueId id : states) rewriter.replace(id, rewriter.to().add_constant(graph.value(id).tensor));
  for (const Node& node : graph.nodes()) rewriter.keep(node);
  Graph frozen = rewriter.finish();
  frozen.drop_unused(frozen.inputs().size());
  return frozen;
}

Graph freeze(const Graph& graph) {
  std::vector<ValueId> unchanged;
  for (const ValueId id : graph.states()) {
    const auto concerns = [&](const StateUpdate& update) { return update.state == id; };
    if (std::none_of(graph.updates().begin(), graph.updates().end(), concerns) &&
        std::none_of(graph.gradients().begin(), graph.gradients().end(), concerns))
      unchanged.push_back(id);
  }
  return freeze(graph, unchanged);
}

Graph fold_constants(const Graph& graph) {
  const NoGrad no_grad;
  Rewriter rewriter(graph);
  for (const Node& node : graph.nodes()) {
    const bool known = std::all_of(node.inputs.begin(), node.inputs.end(), [&](ValueId id) {
      return id == kAbsent || rewriter.to().value(rewriter.now(id)).origin == Value::Origin::constant;
    });
    const bool updates = std::any_of(node.outputs.begin(), node.outputs.end(), [&](ValueId id) {
      return graph.value(id).kind == OutputSpec::Kind::update;
    });
    if (!known || updates) {
      rewriter.keep(node);
      continue;
    }
    Tensors inputs;
    for (const ValueId id : node.inputs)
      inputs.push_back(id == kAbsent ? Tensor() : rewriter.to().value(rewriter.now(id)).tensor.detach());
    const Tensors outputs = apply(*node.operation, inputs);
    for (size_t i = 0; i < outputs.size(); ++i)
      rewriter.replace(node.outputs[i], rewriter.to().add_constant(outputs[i]));
  }
  return rewriter.finish();
}

}  // namespace espalier::runtime
