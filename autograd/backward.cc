#include <algorithm>
#include <limits>
#include <optional>
#include <string>

#include "autograd/autograd.h"
#include "autograd/graph_internal.h"
#include "ops/reshape.h"

namespace espalier {
namespace {

/// A tensor whose gradient grad() was asked for.
struct Target : GradientTarget {
  Tensor gradient = {};
};

/// The inputs of a node whose gradients are wanted, true or false for each.
using Wanted = InlineVector<uint8_t, 8>;

/// Lends an operation's backward what its node saved, after making sure that it is still what was seen.
class NodeContext final : public BackwardContext {
 public:
  NodeContext(OperationNode& node, const Wanted& wanted, bool record)
      : node_(node),
        wanted_(wanted),
        saved_(node.operation->saved_for_backward()),
        tensors_(node.inputs.size() + node.outputs.size()) {
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const OperationNode::Operand& operand = node.inputs[i];
      if (!operand.saved.defined()) continue;
      check_unchanged(operand, "input", i);
      tensors_[i] = operand.saved;
    }
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      const OperationNode::Operand& operand = node.outputs[i];
      if (!operand.saved.defined()) continue;
      check_unchanged(operand, "output", i);
      Tensor& lent = tensors_[node.inputs.size() + i];
      lent = record ? operand.saved.detach() : operand.saved;
      if (record) {
        lent.body().gradient_node = Ref<GradientNode>(&node);
        lent.body().gradient_output = static_cast<uint32_t>(i);
      }
    }
  }

  int input_count() const override { return static_cast<int>(node_.inputs.size()); }
  const Tensor& input(int i) const override {
    if (!(saved_.inputs >> i & 1u)) not_saved("input", i);
    return tensors_[static_cast<size_t>(i)];
  }
  const Tensor& output(int i) const override {
    if (!(saved_.outputs >> i & 1u)) not_saved("output", i);
    return tensors_[node_.inputs.size() + static_cast<size_t>(i)];
  }
  const Shape& input_shape(int i) const override { return node_.inputs[static_cast<size_t>(i)].shape; }
  Dtype input_dtype(int i) const override { return node_.inputs[static_cast<size_t>(i)].dtype; }
  const Tensor& gradient(int i) const override { return node_.gradients[static_cast<size_t>(i)]; }
  bool wants(int i) const override { return wanted_[static_cast<size_t>(i)]; }

 private:
  void check_unchanged(const OperationNode::Operand& operand, const char* role, size_t i) const {
    const Storage& storage = *operand.saved.body().storage;
    if (storage.version() == operand.version) return;
    throw GradientError(
        node_.name, std::string("its ") + role + " " + std::to_string(i) + ", " + describe(operand.saved) +
                        ", which backward needs, was changed in place since by " + storage.last_writer() +
                        " (version " + std::to_string(storage.version()) + ", was " +
                        std::to_string(operand.version) + "); change a copy instead");
  }

  [[noreturn]] void not_saved(const char* role, int i) const {
    throw GradientError(node_.name, std::string("its backward reads ") + role + " " + std::to_string(i) +
                                        ", which saved_for_backward() does not name");
  }

  OperationNode& node_;
  const Wanted& wanted_;
  const SavedForBackward saved_;
  InlineVector<Tensor, 6> tensors_;
};

/// One walk from the outputs towards the leaves, in falling order of the nodes' sequence numbers: when a
/// node's turn comes, everything that used it has been through.
class Walk {
 public:
  /// Without targets leaves accumulate. Nodes older than `start` are ends, as leaves are.
  Walk(bool retain, bool record, std::vector<Target>* targets, uint64_t start = 0)
      : id_(next_walk()), retain_(retain), record_(record), targets_(targets), start_(start) {}

  ~Walk() {
    for (OperationNode* node : waiting_) forget(*node);  // left over after an error only
    for (OperationNode* node : marked_) forget(*node);
  }

  void seed(const Tensor& output, Tensor gradient) {
    deliver({output.body().gradient_node, output.body().gradient_output}, std::move(gradient));
  }

  /// Marks the nodes from which a target can be reached; the others are not walked. What is older than all
  /// targets is not looked at: a walk inside a walk (through_decomposition) ends at the aliases made for it.
  void mark_needed(std::span<const Tensor> outputs) {
    oldest_target_ = std::numeric_limits<uint64_t>::max();
    for (const Target& target : *targets_) {
      const OperationNode* node = as_operation(target.node);
      oldest_target_ = std::min(oldest_target_, node ? node->sequence : 0);  // leaves are older than all
    }
    oldest_target_ = std::max(oldest_target_, start_);
    std::vector<OperationNode*> seen;
    std::vector<GradientNode*> stack;
    for (const Tensor& output : outputs) stack.push_back(output.body().gradient_node.get());
    while (!stack.empty()) {
      auto* node = as_operation(stack.back());
      stack.pop_back();
      if (!node || node->sequence < oldest_target_ || node->walk == id_) continue;
      enter(*node);
      seen.push_back(node);
      for (const GradientEdge& edge : node->edges) {
        if (edge.node) stack.push_back(edge.node.get());
      }
    }
    std::sort(seen.begin(), seen.end(), [](auto* a, auto* b) { return a->sequence < b->sequence; });
    for (OperationNode* node : seen) {
      node->needed = is_target(node);
      for (const GradientEdge& edge : node->edges) node->needed |= leads_to_target(edge);
    }
    marked_ = std::move(seen);
  }

  void run() {
    while (!waiting_.empty()) {
      std::pop_heap(waiting_.begin(), waiting_.end(), later);
      const Ref<OperationNode> node(waiting_.back());  // its users may be gone while it is at work
      waiting_.pop_back();
      step(*node);
      forget(*node);
    }
  }

 private:
  static bool later(const OperationNode* a, const OperationNode* b) { return a->sequence < b->sequence; }
  static OperationNode* as_operation(GradientNode* node) {
    return node->leaf_gradient() ? nullptr : static_cast<OperationNode*>(node);
  }

  bool is_target(const GradientNode* node) const {
    return std::any_of(targets_->begin(), targets_->end(),
                       [&](const Target& target) { return target.node == node; });
  }

  bool leads_to_target(const GradientEdge& edge) const {
    if (!edge.node) return false;
    const auto* node = as_operation(edge.node.get());
    if (!node || node->sequence < start_) return is_target(edge.node.get());
    return node->sequence >= oldest_target_ && node->needed;
  }

  void enter(OperationNode& node) {
    if (node.walk != 0) {
      throw GradientError(node.name,
                          "its graph is being walked already; backward must not be called on a graph from "
                          "inside its own backward");
    }
    node.walk = id_;
    node.needed = true;
    node.gradients.resize(node.outputs.size());
  }

  static void forget(OperationNode& node) {
    node.walk = 0;
    for (Tensor& gradient : node.gradients) gradient = Tensor();
  }

  void deliver(const GradientEdge& edge, Tensor gradient) {
    OperationNode* node = as_operation(edge.node.get());
    if (!node) {
      if (!targets_) return static_cast<LeafNode&>(*edge.node).accumulate(std::move(gradient), id_, record_);
      return capture(edge.node.get(), 0, gradient);
    }
    if (node->sequence < start_) return capture(node, edge.output, gradient);
    if (node->walk != id_) enter(*node);
    const bool queued = std::any_of(node->gradients.begin(), node->gradients.end(),
                                    [](const Tensor& g) { return g.defined(); });
    add_gradient(node->gradients[edge.output], std::move(gradient), record_);
    if (queued) return;
    waiting_.push_back(node);
    std::push_heap(waiting_.begin(), waiting_.end(), later);
  }

  void capture(GradientNode* node, uint32_t output, const Tensor& gradient) {
    for (Target& target : *targets_) {
      if (target.node == node && target.output == output) add_gradient(target.gradient, gradient, true);
    }
  }

  void step(OperationNode& node) {
    for (const auto& [output, hook] : node.hooks) {
      if (node.gradients[output].defined()) call_hook(hook, node.gradients[output]);
    }
    if (targets_) {
      for (uint32_t i = 0; i < node.outputs.size(); ++i) {
        if (node.gradients[i].defined()) capture(&node, i, node.gradients[i]);
      }
    }
    Wanted wanted(node.edges.size());
    bool any = false;
    for (size_t i = 0; i < node.edges.size(); ++i) {
      const bool wants = targets_ ? leads_to_target(node.edges[i]) : static_cast<bool>(node.edges[i].node);
      wanted[i] = wants;
      any |= wants;
    }
    if (!any) return;
    if (node.released()) {
      throw GradientError(
          node.name,
          "its graph was walked before and what it saved is gone; pass retain_graph to the first backward");
    }
    Tensors gradients = input_gradients(node, wanted);
    check(node, gradients);
    if (!retain_) node.free_saved();
    for (size_t i = 0; i < gradients.size(); ++i) {
      if (wanted[i] && gradients[i].defined()) deliver(node.edges[i], std::move(gradients[i]));
    }
  }

  Tensors input_gradients(OperationNode& node, const Wanted& wanted) {
    const NodeContext context(node, wanted, record_);
    if (record_ && node.operation->decomposable()) return through_decomposition(node, context, wanted);
    return node.operation->backward(context);
  }

  /// Second derivatives of a fused operation: does it again in simple operations, from aliases of the inputs
  /// that it saved, and walks through those.
  Tensors through_decomposition(OperationNode& node, const NodeContext& context, const Wanted& wanted) {
    const size_t count = node.inputs.size();
    const uint32_t saved = node.operation->saved_for_backward().inputs;
    Tensors aliases(count);
    std::vector<Tensor> sources;
    for (size_t i = 0; i < count; ++i) {
      const Tensor input = names(saved, i) ? context.input(static_cast<int>(i)) : Tensor();
      const bool wants = wanted[i];
      aliases[i] = wants ? alias(input) : input;
      if (wants) sources.push_back(aliases[i]);
    }
    const Tensors simple = node.operation->decompose(aliases);
    std::vector<Tensor> outputs, gradients;
    for (size_t i = 0; i < simple.size(); ++i) {
      if (!simple[i].requires_grad() || !node.gradients[i].defined()) continue;
      outputs.push_back(simple[i]);
      gradients.push_back(node.gradients[i]);
    }
    const std::vector<Tensor> found =
        grad(outputs, sources, {.gradients = gradients, .create_graph = true, .allow_unused = true});
    Tensors result(count);
    size_t next = 0;
    for (size_t i = 0; i < count; ++i) {
      if (wanted[i]) result[i] = found[next++];
    }
    return result;
  }

  static void check(const OperationNode& node, const Tensors& gradients) {
    if (gradients.size() != node.edges.size()) {
      throw GradientError(node.name, "its backward gave " + std::to_string(gradients.size()) +
                                         " gradients for " + std::to_string(node.edges.size()) + " inputs");
    }
    for (size_t i = 0; i < gradients.size(); ++i) {
      const OperationNode::Operand& input = node.inputs[i];
      if (!gradients[i].defined() ||
          (gradients[i].shape() == input.shape && gradients[i].dtype() == input.dtype))
        continue;
      throw GradientError(node.name, "its backward gave " + describe(gradients[i]) + " for input " +
                                         std::to_string(i) + ", " + std::string(to_string(input.dtype)) +
                                         to_string(input.shape));
    }
  }

  const uint64_t id_;
  const bool retain_;
  const bool record_;
  std::vector<Target>* const targets_;  // null: leaves accumulate
  const uint64_t start_;
  uint64_t oldest_target_ = 0;           // its sequence number
  std::vector<OperationNode*> waiting_;  // a heap, the latest operation on top
  std::vector<OperationNode*> marked_;
};

Tensor seed_gradient(std::string_view where, const Tensor& output, const Tensor& given) {
  if (!output.requires_grad()) {
    throw GradientError(
        where, describe(output) + " was not computed from a leaf that requires a gradient (or under NoGrad)");
  }
  if (!given.defined()) {
    if (output.numel() != 1) {
      throw ShapeError(where,
                       describe(output) + " has more than one element; give the gradient with respect to it");
    }
    return ones(output.shape(), output.dtype(), output.device());
  }
  if (given.shape() != output.shape())
    throw ShapeError(where, "gradient " + describe(given) + " given for " + describe(output));
  if (given.dtype() != output.dtype())
    throw TypeError(where, "gradient " + describe(given) + " given for " + describe(output));
  return given;
}

/// Records during the walk exactly where gradients are to be differentiated again.
class RecordScope {
 public:
  explicit RecordScope(bool record) {
    if (record)
      enabled_.emplace();
    else
      disabled_.emplace();
  }

 private:
  std::optional<EnableGrad> enabled_;
  std::optional<NoGrad> disabled_;
};

}  // namespace

void backward(const Tensor& output, const Tensor& gradient, BackwardOptions options) {
  Tensor seed = seed_gradient("backward", output, gradient);
  const RecordScope scope(options.create_graph);
  Walk walk(options.retain_graph || options.create_graph, options.create_graph, nullptr);
  walk.seed(output, std::move(seed));
  walk.run();
}

std::vector<Tensor> grad(std::span<const Tensor> outputs, std::span<const Tensor> inputs,
                         const GradOptions& options) {
  if (!options.gradients.empty() && options.gradients.size() != outputs.size()) {
    throw ValueError("grad", std::to_string(options.gradients.size()) + " gradients given for " +
                                 std::to_string(outputs.size()) + " outputs");
  }
  std::vector<Tensor> seeds;
  seeds.reserve(outputs.size());
  for (size_t i = 0; i < outputs.size(); ++i) {
    seeds.push_back(
        seed_gradient("grad", outputs[i], options.gradients.empty() ? Tensor() : options.gradients[i]));
  }
  std::vector<Target> targets;
  for (const Tensor& input : inputs) {
    if (!input.requires_grad())
      throw GradientError("grad", "input " + describe(input) + " does not require a gradient");
    targets.push_back({{input.body().gradient_node.get(), input.body().gradient_output}});
  }
  const RecordScope scope(options.create_graph);
  Walk walk(options.retain_graph || options.create_graph, options.create_graph, &targets);
  walk.mark_needed(outputs);
  for (size_t i = 0; i < outputs.size(); ++i) walk.seed(outputs[i], std::move(seeds[i]));
  walk.run();

  std::vector<Tensor> gradients;
  for (size_t i = 0; i < targets.size(); ++i) {
    if (!targets[i].gradient.defined() && !options.allow_unused) {
      throw GradientError("grad",
                          "input " + std::to_string(i) + ", " + describe(inputs[i]) +
                              ", does not reach the outputs; pass allow_unused to get an undefined gradient");
    }
    gradients.push_back(std::move(targets[i].gradient));
  }
  return gradients;
}

std::vector<Tensor> gradients_since(uint64_t start, std::span<const Tensor> outputs,
                                    std::vector<Tensor> gradients, std::span<const GradientTarget> targets,
                                    bool record) {
  std::vector<Target> wanted;
  wanted.reserve(targets.size());
  for (const GradientTarget& target : targets) wanted.push_back({target});
  const RecordScope scope(record);
  Walk walk(record, record, &wanted, start);
  walk.mark_needed(outputs);
  for (size_t i = 0; i < outputs.size(); ++i) walk.seed(outputs[i], std::move(gradients[i]));
  walk.run();
  std::vector<Tensor> found;
  found.reserve(wanted.size());
  for (Target& target : wanted) found.push_back(std::move(target.gradient));
  return found;
}

}  // namespace espalier
