#include <algorithm>
#include <mutex>
#include <string>

#include "autograd/autograd.h"
#include "autograd/graph_internal.h"
#include "ops/copy.h"

namespace espalier {
namespace {

LeafNode* leaf_of(const Tensor& tensor) {
  return tensor.requires_grad() && tensor.body().gradient_node->leaf_gradient()
             ? static_cast<LeafNode*>(tensor.body().gradient_node.get())
             : nullptr;
}

/// The living parameters that layers made and no optimiser has claimed: few, and mostly none.
struct Unclaimed {
  std::mutex mutex;
  std::vector<LeafNode*> leaves;

  void remove(LeafNode* leaf) {
    const std::lock_guard lock(mutex);
    std::erase(leaves, leaf);
  }
};

Unclaimed& unclaimed() {
  static Unclaimed* const set =
      new Unclaimed;  // never destroyed: parameters may have static storage duration
  return *set;
}

}  // namespace

Tensor requires_grad_(Tensor tensor, bool wanted) {
  if (!tensor.defined()) throw ValueError("requires_grad_", "the tensor is undefined");
  Ref<GradientNode>& link = tensor.body().gradient_node;
  if (link && !link->leaf_gradient()) {
    throw GradientError("requires_grad_",
                        describe(tensor) + " is the result of a recorded operation; detach() it first");
  }
  if (!wanted) {
    link = {};
  } else if (!is_floating(tensor.dtype())) {
    throw TypeError("requires_grad_",
                    describe(tensor) + " is not floating: only floating tensors have gradients");
  } else if (!link) {
    start_tape();
    link = make_ref<LeafNode>();
  }
  return tensor;
}

void on_gradient(const Tensor& tensor, GradientHook hook) {
  if (!tensor.requires_grad())
    throw GradientError("on_gradient", describe(tensor) + " does not require a gradient");
  if (LeafNode* leaf = leaf_of(tensor)) {
    leaf->hooks.push_back(std::move(hook));
  } else {
    static_cast<OperationNode&>(*tensor.body().gradient_node)
        .hooks.emplace_back(tensor.body().gradient_output, std::move(hook));
  }
}

LeafNode::~LeafNode() {
  if (layer && !claimed) unclaimed().remove(this);
}

Tensor make_parameter(Tensor values, const char* layer) {
  Tensor parameter = requires_grad_(std::move(values));
  LeafNode* leaf = leaf_of(parameter);
  leaf->layer = layer;
  const std::lock_guard lock(unclaimed().mutex);
  unclaimed().leaves.push_back(leaf);
  return parameter;
}

Tensor copy_parameter(const Tensor& original) {
  Tensor values = copy(original.detach());
  if (!original.requires_grad()) return values;
  const LeafNode* leaf = leaf_of(original);
  return leaf && leaf->layer ? make_parameter(std::move(values), leaf->layer)
                             : requires_grad_(std::move(values));
}

void claim_parameter(const Tensor& parameter) {
  LeafNode* leaf = leaf_of(parameter);
  if (!leaf || !leaf->layer || leaf->claimed.exchange(true)) return;
  unclaimed().remove(leaf);
}

void check_all_claimed(std::span<const Tensor> claimed) {
  const std::lock_guard lock(unclaimed().mutex);
  for (const LeafNode* forgotten : unclaimed().leaves) {
    const uint64_t walk = forgotten->last_walk;
    if (walk == 0) continue;
    const bool together = std::any_of(claimed.begin(), claimed.end(), [&](const Tensor& parameter) {
      const LeafNode* leaf = leaf_of(parameter);
      return leaf && leaf->last_walk == walk;
    });
    if (together) {
      throw GradientError(
          forgotten->layer,
          "a parameter of this layer receives gradients, but no optimiser was given it: is a member "
          "missing in a layer's visit()? (freeze it with requires_grad_(p, false) if it shall stay)");
    }
  }
}

}  // namespace espalier
