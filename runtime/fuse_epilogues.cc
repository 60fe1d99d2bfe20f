#include <memory>
#include <vector>

#include "ops/add.h"
#include "ops/fused_conv2d.h"
#include "ops/fused_linear.h"
#include "ops/gelu.h"
#include "ops/linear.h"
#include "ops/relu.h"
#include "runtime/passes.h"
#include "runtime/readers_internal.h"
#include "runtime/rewriter.h"

namespace espalier::runtime {
namespace {

/// A product and what follows it: node numbers, -1 where there is none.
struct Chain {
  int product = -1, add = -1, activation = -1;
  ValueId residual = kAbsent;
  int last() const { return activation >= 0 ? activation : add; }
};

/// Whether a fused operation stands for the node. A linear layer's weights must be constant: only packed ones
/// are worth it.
bool is_product(const Graph& graph, const Node& node) {
  return as<Conv2d>(node) || (as<Linear>(node) && constant(graph, node.inputs[1]));
}

Activation activation_of(const Node& node) {
  if (as<Relu>(node)) return Activation::relu;
  if (const auto* gelu = as<Gelu>(node))
    return gelu->form() == GeluForm::tanh ? Activation::gelu_tanh : Activation::gelu_erf;
  return Activation::none;
}

/// Whether the fused operation that takes the product's place can end with `node`.
bool fits(const Node& product, const Node& node) {
  const Activation activation = activation_of(node);
  return activation == Activation::relu || (activation != Activation::none && as<Linear>(product));
}

Chain chain_from(const Graph& graph, const Readers& readers, int product, const std::vector<bool>& taken) {
  const auto& nodes = graph.nodes();
  const auto free = [&](int node) { return node >= 0 && !taken[static_cast<size_t>(node)]; };
  Chain chain{.product = product};
  const Node& first = nodes[static_cast<size_t>(product)];
  ValueId end = first.outputs[0];
  int next = readers.only(end);
  if (free(next) && as<Add>(nodes[static_cast<size_t>(next)])) {
    const Node& add = nodes[static_cast<size_t>(next)];
    const ValueId other = add.inputs[0] == end ? add.inputs[1] : add.inputs[0];
    const Tensor &y = graph.value(end).type, &residual = graph.value(other).type;
    if (residual.shape() == y.shape() && residual.strides() == y.strides() && residual.dtype() == y.dtype()) {
      chain.add = next;
      chain.residual = other;
      end = add.outputs[0];
      next = readers.only(end);
    }
  }
  if (free(next) && fits(first, nodes[static_cast<size_t>(next)])) chain.activation = next;
  return chain;
}

std::shared_ptr<const Operation> fused(const Node& product, Activation activation) {
  if (const auto* conv = as<Conv2d>(product)) {
    return std::make_shared<FusedConv2d>(
        FusedConv2dOptions{.conv = conv->options(), .relu = activation == Activation::relu});
  }
  return std::make_shared<FusedLinear>(activation);
}

}  // namespace

Graph fuse_epilogues(const Graph& graph) {
  const Readers readers(graph);
  const auto& nodes = graph.nodes();
  std::vector<bool> taken(nodes.size());
  std::vector<Chain> ends(nodes.size());  // by the number of the last node
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (!is_product(graph, nodes[i])) continue;
    const Chain chain = chain_from(graph, readers, static_cast<int>(i), taken);
    if (chain.last() < 0) continue;
    for (const int node : {chain.product, chain.add, chain.activation}) {
      if (node >= 0) taken[static_cast<size_t>(node)] = true;
    }
    ends[static_cast<size_t>(chain.last())] = chain;
  }
  Rewriter rewriter(graph);
  for (size_t i = 0; i < nodes.size(); ++i) {
    const Chain& chain = ends[i];
    if (chain.product >= 0) {
      const Node& product = nodes[static_cast<size_t>(chain.product)];
      const std::vector<ValueId> inputs = {rewriter.now(product.inputs[0]), rewriter.now(product.inputs[1]),
                                           rewriter.now(product.inputs[2]), rewriter.now(chain.residual)};
      const Activation activation = chain.activation < 0
                                        ? Activation::none
                                        : activation_of(nodes[static_cast<size_t>(chain.activation)]);
      rewriter.replace(nodes[i].outputs[0], rewriter.to().add(fused(product, activation), inputs)[0]);
    } else if (!taken[i]) {
      rewriter.keep(nodes[i]);
    }
  }
  return rewriter.finish();
}

}  // namespace espalier::runtime
