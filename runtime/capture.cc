#include "runtime/capture.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "core/error.h"
#include "ops/random.h"
#include "runtime/recorder_internal.h"

namespace espalier::runtime {

void detail::check_arguments(size_t given, size_t taken) {
  if (given == taken) return;
  throw ValueError("capture",
                   std::to_string(given) + " inputs were given to a function of " + std::to_string(taken));
}

namespace {

/// A leaf's accumulated gradient, put back when this object goes.
class KeptGradient {
 public:
  explicit KeptGradient(const Tensor& leaf)
      : place_(leaf.requires_grad() ? leaf.body().gradient_node->leaf_gradient() : nullptr),
        gradient_(place_ ? *place_ : Tensor()),
        leaf_(leaf) {}
  ~KeptGradient() {
    if (place_) *place_ = gradient_;
  }
  KeptGradient(const KeptGradient&) = delete;
  KeptGradient& operator=(const KeptGradient&) = delete;

  const Tensor& before() const { return gradient_; }
  void set(const Tensor& gradient) const { *place_ = gradient; }
  Tensor now() const { return place_ ? *place_ : Tensor(); }

 private:
  Tensor* place_;
  Tensor gradient_;
  Tensor leaf_;  ///< keeps the place
};

/// What was given, and the generator.
nn::NamedTensors with_generator(const State& state) {
  nn::NamedTensors all = state.tensors();
  const Tensor random = default_generator().state();
  const auto is_random = [&](const auto& entry) { return entry.second.is(random); };
  if (std::none_of(all.begin(), all.end(), is_random)) all.emplace_back("random", random);
  return all;
}

/// A capture in progress.
class Capture {
 public:
  Capture(const State& state, Inputs examples) {
    for (const auto& [name, tensor] : state.tensors())
      gradients_.push_back(std::make_unique<KeptGradient>(tensor));
    for (const auto& [name, tensor] : with_generator(state)) {
      if (tensor.device() != kCpu)
        throw DeviceError("capture", "state " + name + " is " + describe(tensor) + "; expected it on cpu");
      // A handle of its own on the memory, which stays when the tensor's goes to meta.
      states_.push_back({graph_.add_state(name, tensor.detach()), tensor});
      tensors_.push_back(tensor);
    }
    on_meta_ = std::make_unique<OnMeta>(tensors_);
    recorder_ = std::make_unique<Recorder>(graph_, *on_meta_);
    for (const StateValue& known : states_) recorder_->know(known.tensor, known.id);
    for (size_t i = 0; i < examples.size(); ++i) {
      inputs_.push_back(add_input("input" + std::to_string(i), examples[i], true));
    }
    for (size_t i = 0; i < gradients_.size(); ++i) {
      const Tensor& before = gradients_[i]->before();
      entry_.push_back(before.defined() ? static_cast<ValueId>(graph_.values().size()) : kAbsent);
      if (!before.defined()) continue;
      gradients_[i]->set(
          add_input(graph_.value(states_[i].id).name + std::string(kGradientSuffix), before, false));
    }
  }

  void run(const Function& f) {
    std::vector<Tensor> results;
    {
      const ListenerScope scope(ListenerSlot::recorder, recorder_.get());
      results = f(inputs_);
    }
    std::vector<ValueId> outputs;
    for (const Tensor& result : results) {
      check_defined("capture", result);
      outputs.push_back(recorder_->result(result));
    }
    graph_.set_outputs(std::move(outputs));
  }

  Graph finish() {
    std::vector<bool> updated;
    for (const StateValue& state : states_) {
      const ValueId now = recorder_->value_of(state.tensor, "capture");
      updated.push_back(now != state.id);
      if (updated.back()) graph_.update_state(state.id, now);
    }
    for (size_t i = 0; i < gradients_.size(); ++i) note_gradient(i, updated[i]);
    graph_.drop_unused(inputs_.size());
    return std::move(graph_);
  }

 private:
  struct StateValue {
    ValueId id;
    Tensor tensor;
  };

  Tensor add_input(std::string name, const Tensor& like, bool lent) {
    const ValueId id = graph_.add_input(std::move(name), like);
    const Tensor type = graph_.value(id).type;
    recorder_->know(type, id, lent);
    return type;
  }

  void note_gradient(size_t i, bool parameter_updated) {
    const Tensor now = gradients_[i]->now();
    const ValueId before = entry_[i];
    const ValueId after = now.defined() ? recorder_->result(now) : kAbsent;
    if (after == before) return;
    // The gradient of a parameter that is updated was a means to an end, unless it goes on from the one
    // before.
    const bool wanted = !parameter_updated || (before != kAbsent && graph_.reads(before));
    if (wanted || before != kAbsent) graph_.set_gradient(states_[i].id, wanted ? after : kAbsent);
  }

  Graph graph_;
  std::vector<std::unique_ptr<KeptGradient>> gradients_;  ///< of the first states
  std::vector<StateValue> states_;
  std::vector<Tensor> tensors_, inputs_;
  std::vector<ValueId> entry_;  ///< the gradients at the start
  std::unique_ptr<OnMeta> on_meta_;
  std::unique_ptr<Recorder> recorder_;
};

}  // namespace

Graph capture(const Function& f, Inputs examples, const State& state) {
  Capture capture(state, examples);
  capture.run(f);
  return capture.finish();
}

}  // namespace espalier::runtime
