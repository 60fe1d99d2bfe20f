#include "runtime/compile.h"

#include <algorithm>
#include <optional>

#include "core/door.h"
#include "core/error.h"
#include "core/parallel.h"
#include "ops/copy.h"
#include "runtime/passes.h"
#include "runtime/split_batch.h"

namespace espalier::runtime {

/// What a capture depends on besides the function and the values of its inputs.
class Conditions {
 public:
  Conditions(Inputs inputs, const State& state)
      : modes_(state.modes()), autocast_(autocast_dtype()), threads_(num_threads()) {
    for (const Tensor& input : inputs) inputs_.push_back({input.dtype(), input.shape(), input.strides()});
    for (const auto& [name, tensor] : state.tensors()) gradients_.push_back(layout_of_gradient(tensor));
  }

  bool hold(Inputs inputs, const State& state) const {
    if (inputs.size() != inputs_.size() || autocast_ != autocast_dtype() || threads_ != num_threads())
      return false;
    for (size_t i = 0; i < inputs.size(); ++i) {
      const Type& type = inputs_[i];
      if (inputs[i].dtype() != type.dtype || inputs[i].shape() != type.shape ||
          inputs[i].strides() != type.strides)
        return false;
    }
    for (size_t i = 0; i < gradients_.size(); ++i) {
      if (gradients_[i] != layout_of_gradient(state.tensors()[i].second)) return false;
    }
    return state.has_modes(modes_);
  }

 private:
  struct Type {
    Dtype dtype;
    Shape shape;
    Strides strides;
  };

  static std::optional<Strides> layout_of_gradient(const Tensor& tensor) {
    if (!tensor.requires_grad()) return {};
    const Tensor* gradient = tensor.body().gradient_node->leaf_gradient();
    return gradient && gradient->defined() ? std::optional(gradient->strides()) : std::nullopt;
  }

  std::vector<Type> inputs_;
  std::vector<bool> modes_;
  std::vector<std::optional<Strides>> gradients_;  ///< of the tensors of the state
  std::optional<Dtype> autocast_;
  int threads_;
};

namespace {

/// The states that may be taken for constants until somebody else changes them. Where the graph changes
/// nothing, these are all. Else they are the parameters that it only reads, a generator's weights beside its
/// cache, unless it finds gradients, which somebody else is about to use.
std::vector<ValueId> constants_of(const Graph& graph, const State& state) {
  const auto is_parameter = [&](const std::string& name) {
    const nn::NamedTensors& tensors = state.tensors();
    return std::any_of(tensors.begin(), tensors.end(),
                       [&](const auto& one) { return one.first == name && one.second.requires_grad(); });
  };
  std::vector<ValueId> constants;
  if (!graph.gradients().empty()) return constants;
  for (const ValueId id : graph.states()) {
    const auto changes = [&](const StateUpdate& update) { return update.state == id; };
    const bool read_only = std::none_of(graph.updates().begin(), graph.updates().end(), changes);
    if (read_only && (graph.updates().empty() || is_parameter(graph.value(id).name))) constants.push_back(id);
  }
  return constants;
}

/// Making a plan takes as long as some ten runs of it. Where constants change after fewer runs than this,
/// they are states from then on.
constexpr int kWorthMaking = 4;

}  // namespace

/// A plan whose constants are those of now.
class FrozenRunner {
 public:
  FrozenRunner(Graph graph, const State& state, const PlanOptions& options)
      : graph_(std::move(graph)), constants_(constants_of(graph_, state)) {
    make(options);
  }

  Runner& current(const PlanOptions& options) {
    if (!has_versions()) {
      if (runs_ < kWorthMaking) constants_.clear();
      make(options);
    }
    ++runs_;
    return *runner_;
  }

  const Graph& graph() const noexcept { return graph_; }

 private:
  void make(const PlanOptions& options) {
    versions_.clear();
    for (const ValueId id : constants_) versions_.push_back(graph_.value(id).tensor.version());
    Graph graph = optimise(freeze(graph_, constants_), options.equality);
    if (options.equality == Equality::rounded) {
      const int threads = options.threads == 0 ? num_threads() : options.threads;
      graph = split_where_it_pays(std::move(graph), threads);
    }
    runner_ = std::make_unique<Runner>(std::make_shared<const Plan>(std::move(graph), options));
    runs_ = 0;
  }

  bool has_versions() const {
    for (size_t i = 0; i < versions_.size(); ++i) {
      if (graph_.value(constants_[i]).tensor.version() != versions_[i]) return false;
    }
    return true;
  }

  Graph graph_;
  std::vector<ValueId> constants_;
  std::vector<uint32_t> versions_;
  std::unique_ptr<Runner> runner_;
  int runs_ = 0;
};

struct CompiledFunction::Variant {
  Conditions conditions;
  FrozenRunner runner;
  std::vector<Tensor> read_gradients;  ///< the leaves whose gradients are inputs after the function's own
  struct Left {
    Tensor leaf;
    bool absent;
  };
  std::vector<Left>
      left_gradients;  ///< what a run leaves in which leaf: one of its results, in order, or none
};

CompiledFunction::CompiledFunction(Function f, State state, const PlanOptions& options)
    : f_(std::move(f)), state_(std::move(state)), options_(options) {}
CompiledFunction::~CompiledFunction() = default;
CompiledFunction::CompiledFunction(CompiledFunction&&) noexcept = default;
CompiledFunction& CompiledFunction::operator=(CompiledFunction&&) noexcept = default;

CompiledFunction::Variant& CompiledFunction::variant(Inputs inputs) {
  const auto found = std::find_if(variants_.begin(), variants_.end(),
                                  [&](const auto& made) { return made->conditions.hold(inputs, state_); });
  if (found != variants_.end()) return **found;
  Conditions conditions(inputs, state_);
  const Graph graph = capture(f_, inputs, state_);
  auto made = std::make_unique<Variant>(
      Variant{std::move(conditions), FrozenRunner(graph, state_, options_), {}, {}});
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
  return variant(inputs).runner.current(options_).plan();
}

size_t CompiledFunction::plan_count() const noexcept {
  return variants_.size();
}

std::vector<Tensor> CompiledFunction::run(Inputs inputs) {
  const auto dense = [&](const Tensor& tensor) {
    check_defined("compiled function", tensor);
    if (is_dense(tensor.shape(), tensor.strides())) return tensor;
    // Sums over a tensor with gaps may be taken in another order than over its copy.
    if (options_.equality == Equality::strict)
      throw ShapeError("compiled function", describe(tensor) + " lies in memory with gaps, strides " +
                                                to_string(tensor.strides()) +
                                                "; for the bits of eager code give both contiguous() of it");
    return contiguous(tensor.detach());
  };
  std::vector<Tensor> given;
  given.reserve(inputs.size());
  for (const Tensor& input : inputs) given.push_back(dense(input));
  Variant& fitting = variant(given);
  for (const Tensor& leaf : fitting.read_gradients) given.push_back(dense(leaf.grad()));
  std::vector<Tensor> results = fitting.runner.current(options_).run(given);
  const size_t outputs = fitting.runner.graph().outputs().size();
  size_t next = outputs;
  for (Variant::Left& left : fitting.left_gradients)
    left.leaf.set_grad(left.absent ? Tensor() : std::move(results[next++]));
  results.resize(outputs);
  return results;
}

}  // namespace espalier::runtime
