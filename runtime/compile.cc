#include "runtime/compile.h"

#include <algorithm>
#include <map>
#include <optional>

#include "core/create.h"
#include "core/door.h"
#include "core/error.h"
#include "core/parallel.h"
#include "ops/copy.h"
#include "runtime/passes.h"

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

/// What a plan is made of.
struct CompileSource {
  const Function& f;
  const State& state;
  BatchOptions options;
};

/// A graph that was captured, and the graphs of parts of its batch, which are when somebody asks for them.
class CapturedBatch {
 public:
  CapturedBatch(Graph graph, Inputs inputs) : graph_(std::move(graph)) {
    for (const Tensor& input : inputs)
      types_.push_back(empty_strided(input.shape(), input.strides(), input.dtype(), kMeta));
  }

  const Graph& whole() const noexcept { return graph_; }
  int64_t examples() const { return first_axis(0); }
  /// The inputs that have the batch. A step that changes something has none.
  std::vector<int> inputs() const {
    std::vector<int> found;
    if (!graph_.updates().empty() || !graph_.gradients().empty()) return found;
    for (size_t i = 0; i < types_.size(); ++i) {
      if (examples() > 0 && first_axis(i) == examples()) found.push_back(static_cast<int>(i));
    }
    return found;
  }

  const Graph& at(int64_t examples, const CompileSource& source) {
    if (examples == this->examples()) return graph_;
    const auto found = parts_.find(examples);
    if (found != parts_.end()) return found->second;
    std::vector<Tensor> types = types_;
    for (const int input : inputs()) {
      Tensor& type = types[static_cast<size_t>(input)];
      Shape shape = type.shape();
      shape[0] = examples;
      type =
          empty_strided(shape, strides_nested_like(shape, type.shape(), type.strides()), type.dtype(), kMeta);
    }
    return parts_.emplace(examples, capture(source.f, types, source.state)).first->second;
  }

 private:
  int64_t first_axis(size_t input) const {
    return input < types_.size() && types_[input].rank() > 0 ? types_[input].size(0) : 0;
  }

  Graph graph_;
  std::vector<Tensor> types_;  ///< of the function's inputs, on meta
  std::map<int64_t, Graph> parts_;
};

/// A plan whose constants are those of now.
class FrozenRunner {
 public:
  FrozenRunner(CapturedBatch batch, const CompileSource& source)
      : batch_(std::move(batch)), constants_(constants_of(batch_.whole(), source.state)) {
    make(source);
  }

  BatchRunner& current(const CompileSource& source) {
    if (!has_versions()) {
      if (runs_ < kWorthMaking) constants_.clear();
      make(source);
    }
    ++runs_;
    return *runner_;
  }

  const Graph& graph() const noexcept { return batch_.whole(); }

 private:
  void make(const CompileSource& source) {
    versions_.clear();
    for (const ValueId id : constants_) versions_.push_back(graph().value(id).tensor.version());
    const auto at = [&](int64_t examples) { return freeze(batch_.at(examples, source), constants_); };
    runner_ =
        std::make_unique<BatchRunner>(BatchedGraph{at, batch_.inputs(), batch_.examples()}, source.options);
    runs_ = 0;
  }

  bool has_versions() const {
    for (size_t i = 0; i < versions_.size(); ++i) {
      if (graph().value(constants_[i]).tensor.version() != versions_[i]) return false;
    }
    return true;
  }

  CapturedBatch batch_;
  std::vector<ValueId> constants_;
  std::vector<uint32_t> versions_;
  std::unique_ptr<BatchRunner> runner_;
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
    : f_(std::move(f)), state_(std::move(state)), options_(batch_options(options)) {}
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
      Variant{std::move(conditions), FrozenRunner({graph, inputs}, {f_, state_, options_}), {}, {}});
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
  return variant(inputs).runner.current({f_, state_, options_}).plan();
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
  std::vector<Tensor> results = fitting.runner.current({f_, state_, options_}).run(given);
  const size_t outputs = fitting.runner.graph().outputs().size();
  size_t next = outputs;
  for (Variant::Left& left : fitting.left_gradients)
    left.leaf.set_grad(left.absent ? Tensor() : std::move(results[next++]));
  results.resize(outputs);
  return results;
}

}  // namespace espalier::runtime
