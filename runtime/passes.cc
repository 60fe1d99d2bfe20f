#include "runtime/passes.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "core/error.h"
#include "ops/copy.h"
#include "runtime/rewriter.h"

namespace espalier::runtime {
namespace {

constexpr Pass kPasses[] = {
    {"remove_dead_nodes", "leaves out what nobody uses", remove_dead_nodes, true},
    {"remove_copies", "leaves out copies that change no layout", remove_copies, true},
    {"simplify", "replaces operations by cheaper ones with the same bits, and what changes nothing", simplify,
     true},
    {"merge_common_subexpressions", "computes once what is computed several times",
     merge_common_subexpressions, true},
    {"assign_layouts", "copies images to the layout in which convolutions and pooling read them",
     assign_layouts, false},
    {"fold_constants", "computes now what depends on constants alone", fold_constants, true},
    {"fold_batch_norms", "takes batch norms in evaluation into the convolutions before them",
     fold_batch_norms, false},
    {"fuse_epilogues", "takes residual additions and activations into the products before them",
     fuse_epilogues, false},
    {"fuse_elementwise", "computes elementwise operations that follow each other tile by tile in the cache",
     fuse_elementwise, true},
};

}  // namespace

std::span<const Pass> passes() {
  return kPasses;
}

Graph optimise(Graph graph, Equality equality) {
  for (const Pass& pass : kPasses) {
    if (pass.keeps_bits || equality == Equality::rounded) graph = pass.run(graph);
  }
  return graph;
}

Graph optimise(Graph graph, std::span<const std::string_view> names) {
  std::string known;
  for (const Pass& pass : kPasses) known += (known.empty() ? "" : ", ") + std::string(pass.name);
  for (const std::string_view name : names) {
    if (std::none_of(std::begin(kPasses), std::end(kPasses),
                     [&](const Pass& pass) { return pass.name == name; }))
      throw ValueError("optimise", "no pass is called " + std::string(name) + "; there are " + known);
  }
  for (const Pass& pass : kPasses) {
    if (std::find(names.begin(), names.end(), pass.name) != names.end()) graph = pass.run(graph);
  }
  return graph;
}

Graph remove_dead_nodes(const Graph& graph) {
  const std::vector<bool> needed = needed_nodes(graph);
  Rewriter rewriter(graph);
  for (size_t i = 0; i < needed.size(); ++i) {
    if (needed[i]) rewriter.keep(graph.nodes()[i]);
  }
  return rewriter.finish();
}

Graph remove_copies(const Graph& graph) {
  Rewriter rewriter(graph);
  for (const Node& node : graph.nodes()) {
    if (node.operation->name() == Copy::kName) {
      const Tensor& from = graph.value(node.inputs[0]).type;
      const Tensor& to = graph.value(node.outputs[0]).type;
      if (from.strides() == to.strides()) {
        rewriter.replace(node.outputs[0], rewriter.now(node.inputs[0]));
        continue;
      }
    }
    rewriter.keep(node);
  }
  return rewriter.finish();
}

Graph merge_common_subexpressions(const Graph& graph) {
  Rewriter rewriter(graph);
  std::map<std::pair<std::string, std::vector<ValueId>>, const Node*> seen;
  for (const Node& node : graph.nodes()) {
    if (node.marks.again) {
      rewriter.keep(node);
      continue;
    }
    std::vector<ValueId> inputs;
    for (const ValueId id : node.inputs) inputs.push_back(rewriter.now(id));
    const auto [first, fresh] =
        seen.try_emplace({signature(*node.operation) + to_string(node.marks), std::move(inputs)}, &node);
    if (fresh) {
      rewriter.keep(node);
      continue;
    }
    for (size_t i = 0; i < node.outputs.size(); ++i)
      rewriter.replace(node.outputs[i], rewriter.now(first->second->outputs[i]));
  }
  return rewriter.finish();
}

}  // namespace espalier::runtime
