#include <string>

#include "autograd/graph_internal.h"
#include "ops/accumulate.h"
#include "ops/add.h"
#include "ops/copy.h"

namespace espalier {
namespace {

std::atomic<uint64_t> sequence_counter{0};
std::atomic<uint64_t> walk_counter{0};

/// Nodes and tensors that dying nodes held. A long chain is taken apart in a loop here instead of one
/// destructor inside the other.
struct Graveyard {
  std::vector<GradientEdge> edges;
  std::vector<Tensor> tensors;
  bool draining = false;

  void drain() {
    if (draining) return;
    draining = true;
    while (!edges.empty() || !tensors.empty()) {
      if (!edges.empty()) {
        const GradientEdge edge = std::move(edges.back());
        edges.pop_back();
      } else {
        const Tensor tensor = std::move(tensors.back());
        tensors.pop_back();
      }
    }
    draining = false;
  }
};
thread_local Graveyard graveyard;

bool solely_owned(const Tensor& tensor) {
  return tensor.body().owners() == 1 && tensor.body().storage->owners() == 1;
}

}  // namespace

OperationNode::OperationNode(const Operation& recorded, Inputs from)
    : operation(recorded.clone()),
      name(recorded.name()),
      sequence(sequence_counter.fetch_add(1, std::memory_order_relaxed)),
      inputs(from.size()),
      edges(from.size()) {
  const SavedForBackward saved = recorded.saved_for_backward();
  for (size_t i = 0; i < from.size(); ++i) {
    if (!from[i].defined()) continue;
    inputs[i].shape = from[i].shape();
    inputs[i].dtype = from[i].dtype();
    if (names(saved.inputs, i)) {
      inputs[i].saved = from[i];
      inputs[i].version = from[i].version();
    }
    edges[i] = {from[i].body().gradient_node, from[i].body().gradient_output};
  }
}

void OperationNode::link_outputs(Outputs made, SavedForBackward saved) {
  outputs.resize(made.size());
  for (size_t i = 0; i < made.size(); ++i) {
    Tensor& output = made[i];
    outputs[i].shape = output.shape();
    outputs[i].dtype = output.dtype();
    if (names(saved.outputs, i)) {
      // Without the link back to this node, which would be a cycle.
      outputs[i].saved = output.detach();
      outputs[i].version = output.version();
    }
    if (operation->differentiable(static_cast<int>(i)) && is_floating(output.dtype())) {
      output.body().gradient_node = Ref<GradientNode>(this);
      output.body().gradient_output = static_cast<uint32_t>(i);
    }
  }
}

void OperationNode::free_saved() {
  operation.reset();
  for (Operand& input : inputs) {
    if (input.saved.defined()) graveyard.tensors.push_back(std::move(input.saved));
  }
  for (Operand& output : outputs) output.saved = Tensor();
  graveyard.drain();
}

OperationNode::~OperationNode() {
  for (Operand& input : inputs) {
    if (input.saved.defined()) graveyard.tensors.push_back(std::move(input.saved));
  }
  for (GradientEdge& edge : edges) {
    if (edge.node) graveyard.edges.push_back(std::move(edge));
  }
  graveyard.drain();
}

void add_gradient(Tensor& sum, Tensor contribution, bool record) {
  if (!sum.defined()) {
    sum = std::move(contribution);
  } else if (!record && solely_owned(sum) && is_dense(sum.shape(), sum.strides())) {
    accumulate_(sum, contribution);
  } else {
    sum = add(sum, contribution);
  }
}

void call_hook(const GradientHook& hook, Tensor& gradient) {
  Tensor replaced = hook(gradient);
  if (!replaced.defined()) return;
  if (replaced.shape() != gradient.shape() || replaced.dtype() != gradient.dtype()) {
    throw GradientError("on_gradient",
                        "a hook returned " + describe(replaced) + " for a gradient " + describe(gradient));
  }
  gradient = std::move(replaced);
}

void LeafNode::accumulate(Tensor contribution, uint64_t walk, bool record) {
  for (const GradientHook& hook : hooks) call_hook(hook, contribution);
  last_walk = walk;
  if (gradient.defined()) {
    add_gradient(gradient, std::move(contribution), record);
  } else if (record) {
    gradient = std::move(contribution);
  } else {
    // What others hold, or what is a view with overlaps, is copied: the owner of the leaf may change its
    // gradient in place.
    const bool own = solely_owned(contribution) && is_dense(contribution.shape(), contribution.strides());
    gradient = own ? std::move(contribution) : copy(contribution);
  }
}

uint64_t next_sequence() {
  return sequence_counter.load(std::memory_order_relaxed);
}

uint64_t next_walk() {
  return walk_counter.fetch_add(1, std::memory_order_relaxed) + 1;
}

}  // namespace espalier
