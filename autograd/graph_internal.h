#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "core/door.h"
#include "core/error.h"
#include "core/operation.h"

namespace espalier {

using GradientHook = std::function<Tensor(const Tensor&)>;

/// Where a leaf's gradient accumulates.
class LeafNode final : public GradientNode {
 public:
  ~LeafNode() override;
  Tensor* leaf_gradient() noexcept override { return &gradient; }
  /// Adds a contribution of the walk `walk`; steals it where nobody else holds it. `record` keeps the sum
  /// differentiable.
  void accumulate(Tensor contribution, uint64_t walk, bool record);

  Tensor gradient;
  std::vector<GradientHook> hooks;
  const char* layer = nullptr;  ///< kind of the layer that made it, or null
  std::atomic<bool> claimed{false};
  std::atomic<uint64_t> last_walk{0};  ///< the walk that last brought a gradient
};

/// Where the gradient of an operation's input goes: output `output` of the operation that made it, or a leaf.
struct GradientEdge {
  Ref<GradientNode> node;
  uint32_t output = 0;
};

/// Whether a set of SavedForBackward names input or output `i`: it has room for 32.
inline bool names(uint32_t set, size_t i) noexcept {
  return i < 32 && (set >> i & 1u);
}

/// A recorded operation: a node of the graph that backward walks.
class OperationNode final : public GradientNode {
 public:
  OperationNode(const Operation& recorded, Inputs from);
  ~OperationNode() override;
  Tensor* leaf_gradient() noexcept override { return nullptr; }

  /// Keeps what backward needs of the outputs and links them to this node.
  void link_outputs(Outputs made, SavedForBackward saved);
  /// Lets go of everything saved; the node stays as a place in the graph.
  void free_saved();
  bool released() const noexcept { return operation == nullptr; }

  struct Operand {
    Shape shape;
    Dtype dtype;
    Tensor saved;  ///< undefined where backward does not read it
    uint32_t version = 0;
  };

  std::unique_ptr<Operation> operation;
  std::string_view name;
  uint64_t sequence;  ///< rises with every operation: an input's is below its user's
  InlineVector<Operand, 4> inputs;
  InlineVector<Operand, 2> outputs;
  InlineVector<GradientEdge, 4> edges;  ///< one an input; a null node where no gradient is wanted
  std::vector<std::pair<uint32_t, GradientHook>> hooks;

  // State of the walk in progress.
  uint64_t walk = 0;  ///< which walk `gradients` belongs to; 0: none
  bool needed = true;
  InlineVector<Tensor, 2> gradients;
};

/// The sum of two gradients, in place where `sum` is nobody else's and nothing records.
void add_gradient(Tensor& sum, Tensor contribution, bool record);

/// Calls each hook in turn; a defined result replaces the gradient.
void call_hook(const GradientHook& hook, Tensor& gradient);

/// A number for each walk over a graph.
uint64_t next_walk();

/// The least sequence number that no node has yet.
uint64_t next_sequence();

/// Throws GradientError where an operation would change in place a tensor that requires a gradient.
void refuse_updates(const Operation& operation, Inputs inputs, std::span<const OutputSpec> specs);

/// A place of the graph, which somebody else keeps alive.
struct GradientTarget {
  GradientNode* node = nullptr;
  uint32_t output = 0;
  friend bool operator==(const GradientTarget&, const GradientTarget&) = default;
};

/// The gradients of the outputs, weighted with `gradients`, with respect to `targets`, none newer than
/// `start`, through nodes that were recorded from sequence number `start` on, and no others; undefined for a
/// target that is not reached.
std::vector<Tensor> gradients_since(uint64_t start, std::span<const Tensor> outputs,
                                    std::vector<Tensor> gradients, std::span<const GradientTarget> targets,
                                    bool record);

/// Makes sure that the tape listens.
void start_tape();

}  // namespace espalier
