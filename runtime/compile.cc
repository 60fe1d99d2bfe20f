#include "runtime/compile.h"

#include <algorithm>
#include <map>
#include <optional>

#include "core/door.h"
#include "core/parallel.h"
#include "ops/copy.h"
#include "runtime/passes.h"

namespace espalier::runtime {
namespace {

/// What a capture depends on besides the function.
struct Key {
  struct Type {
    Dtype dtype;
    Shape shape;
    Strides strides;
    friend bool operator==(const Type&, const Type&) = default;
  };
  std::vector<Type> inputs;
  std::vector<bool> modes;
  std::vector<std::optional<Strides>> gradients;  ///< those that the tensors of the state have
  std::optional<Dtype> autocast;
  int threads = 0;
  friend bool operator==(const Key&, const Key&) = default;
};

Key key_of(Inputs inputs, const State& state) {
  Key key{.inputs = {}, .modes = state.modes(), .gradients = {}, .autocast = autocast_dtype(), .threads = num_threads()};
  for (const Tensor& input : inputs) key.inputs.push_back({input.dtype(), input.shape(), input.strides()});
  for (const auto& [name, tensor] : state.tensors()) {
    const bool leaf = tensor.requires_grad() && tensor.body().gradient_node->leaf_gradient();
    const Tensor gradient = leaf ? tensor.grad() : Tensor();
    key.gradients.push_back(gradient.defined() ? std::optional(gradient.strides()) : std::nullopt);
  }
  return key;
}

}  // namespace

namespace {

std::vector<uint32_t> versions_of(const Graph& graph) {
  std::vector<uint32_t> versions;
  for (const ValueId id : graph.states()) versions.push_back(graph.value(id).tensor.version());
  return versions;
}

/// The states of a graph that changes nothing are constants until somebody else changes them.
bool only_reads(const Graph& graph) {
  return graph.updates().empty() && graph.gradients().empty();
}

Runner runner_of(const Graph& graph) {
  return Runner(std::make_shared<const Plan>(optimise(only_reads(graph) ? freeze(graph) : graph)));
}

}  // namespace

struct CompiledFunction::Variant {
  Key key;
  Graph captured;
  Runner runner;
  std::vector<uint32_t> versions;      ///< of the states when the runner was made
  std::vector<Tensor> read_gradients;  ///< the leaves whose gradients are inputs after the function's own
  struct Left {
    Tensor leaf;
    bool absent;
  };
  std::vector<Left> left_gradients;  ///< what a run leaves in which leaf: one of its results, in order, or none
};

CompiledFunction::CompiledFunction(Function f, State state) : f_(std::move(f)), state_(std::move(state)) {}
CompiledFunction::~CompiledFunction() = default;
CompiledFunction::CompiledFunction(CompiledFunction&&) noexcept = default;
CompiledFunction& CompiledFunction::operator=(CompiledFunction&&) noexcept = default;

CompiledFunction::Variant& CompiledFunction::variant(Inputs inputs) {
  Key key = key_of(inputs, state_);
  const auto found =
      std::find_if(variants_.begin(), variants_.end(), [&](const auto& made) { return made->key == key; });
  if (found != variants_.end()) {
    Variant& known = **found;
    if (only_reads(known.captured)) {
      std::vector<uint32_t> versions = versions_of(known.captured);
      if (versions != known.versions) {
        known.runner = runner_of(known.captured);
        known.versions = std::move(versions);
      }
    }
    return known;
  }
  const Graph graph = capture(f_, inputs, state_);
  auto made = std::make_unique<Variant>(
      Variant{std::move(key), graph, runner_of(graph), versions_of(graph), {}, {}});
  for (size_t i = inputs.size(); i < graph.inputs().size(); ++i) {
    const std::string& name = graph.value(graph.inputs()[i]).name;
    made->read_gradients.push_back(state_.at(name.substr(0, name.size() - kGradientSuffix.size())));
  }
  for (const StateUpdate& gradient : graph.gradients())
    made->left_gradients.push_back({state_.at(graph.value(gradient.state).name), gradient.value == kAbsent});
  variants_.push_back(std::move(made));
  return *variants_.back();
}

const Plan& CompiledFunction::plan(Inputs inputs) {
  return variant(inputs).runner.plan();
}

size_t CompiledFunction::plan_count() const noexcept {
  return variants_.size();
}

std::vector<Tensor> CompiledFunction::run(Inputs inputs) {
  const auto dense = [](const Tensor& tensor) {
    check_defined("compiled function", tensor);
    const Tensor plain = tensor.detach();
    return is_dense(plain.shape(), plain.strides()) ? plain : contiguous(plain);
  };
  std::vector<Tensor> given;
  for (const Tensor& input : inputs) given.push_back(dense(input));
  Variant& fitting = variant(given);
  for (const Tensor& leaf : fitting.read_gradients) given.push_back(dense(leaf.grad()));
  std::vector<Tensor> results = fitting.runner.run(given);
  const size_t outputs = fitting.runner.plan().graph().outputs().size();
  size_t next = outputs;
  for (Variant::Left& left : fitting.left_gradients)
    left.leaf.set_grad(left.absent ? Tensor() : std::move(results[next++]));
  results.resize(outputs);
  return results;
}

}  // namespace espalier::runtime
