#include "autograd/checkpoint.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "autograd/graph_internal.h"
#include "ops/autocast.h"
#include "ops/copy.h"
#include "ops/random_internal.h"

namespace espalier {
namespace {

using Function = std::function<std::vector<Tensor>(const std::vector<Tensor>&)>;

constexpr std::string_view kWhere = "checkpoint";
constexpr size_t kMost = 32;  // what SavedForBackward can name

/// Hears, in place of the tape, the operations of a first run: it records none, but takes note of the tensors
/// from outside that want a gradient.
class Collector final : public Listener {
 public:
  Collector() : start_(next_sequence()), outer_(active) { active = this; }
  ~Collector() override { active = outer_; }
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;

  /// Whether the calling thread is in a first run.
  static bool listens() noexcept { return active != nullptr && grad_enabled(); }

  void before(const Operation& operation, Inputs inputs, std::span<const OutputSpec> specs) override {
    refuse_updates(operation, inputs, specs);
  }
  void after(const Operation&, Inputs inputs, Outputs) override {
    for (const Tensor& input : inputs) note(input);
  }

  void note(const Tensor& tensor) {
    if (!tensor.requires_grad()) return;
    GradientNode* node = tensor.body().gradient_node.get();
    if (!node->leaf_gradient() && static_cast<OperationNode*>(node)->sequence >= start_) {
      throw GradientError(kWhere,
                          describe(tensor) +
                              " was recorded inside the function, which a NoGrad with an EnableGrad in it "
                              "does; take out both");
    }
    const bool known = std::any_of(captured_.begin(), captured_.end(), [&](const Tensor& other) {
      return other.body().gradient_node.get() == node &&
             other.body().gradient_output == tensor.body().gradient_output;
    });
    if (!known) captured_.push_back(tensor);
  }
  const std::vector<Tensor>& captured() const noexcept { return captured_; }

 private:
  static thread_local Collector* active;

  const uint64_t start_;
  Collector* const outer_;
  std::vector<Tensor> captured_;
};
thread_local Collector* Collector::active = nullptr;

thread_local int second_runs = 0;

/// Makes recomputing() true while it lives.
struct SecondRun {
  SecondRun() { ++second_runs; }
  ~SecondRun() { --second_runs; }
  SecondRun(const SecondRun&) = delete;
  SecondRun& operator=(const SecondRun&) = delete;
};

/// Puts generators back to where the first run found them, and afterwards to where they were.
class RestoredGenerators {
 public:
  explicit RestoredGenerators(const std::vector<DrawnFrom>& first) {
    const NoGrad no_grad;
    for (const DrawnFrom& drawn : first) {
      present_.push_back({drawn.state, copy(drawn.state)});
      copy_(drawn.state, drawn.before);
    }
  }
  ~RestoredGenerators() {
    const NoGrad no_grad;
    for (const DrawnFrom& drawn : present_) copy_(drawn.state, drawn.before);
  }
  RestoredGenerators(const RestoredGenerators&) = delete;
  RestoredGenerators& operator=(const RestoredGenerators&) = delete;

 private:
  std::vector<DrawnFrom> present_;
};

/// What a second run needs, shared by the copies of the operation.
struct Segment {
  Function f;
  size_t inputs;
  std::vector<DrawnFrom> generators;
  std::optional<Dtype> autocast;
  std::vector<std::pair<Shape, Dtype>> outputs;
  std::vector<GradientTarget> targets;  ///< one an edge of the node, which keeps them alive
};

/// Stands in the graph for a whole segment. It never passes the door: checkpoint() makes its node.
class Checkpoint final : public OperationOf<Checkpoint> {
 public:
  static constexpr std::string_view kName = kWhere;
  static KernelSlot slot;

  explicit Checkpoint(std::shared_ptr<const Segment> segment) : segment_(std::move(segment)) {}
  void infer(Inputs, OutputSpecs&) const override {
    throw ValueError(kName, "is not an operation of its own; call checkpoint()");
  }
  SavedForBackward saved_for_backward() const override {
    const uint64_t all = (uint64_t{1} << segment_->inputs) - 1;
    return {.inputs = static_cast<uint32_t>(all), .outputs = 0};
  }
  Tensors backward(const BackwardContext& context) const override;

 private:
  std::shared_ptr<const Segment> segment_;
};
constinit KernelSlot Checkpoint::slot{};

void check_again(const Segment& segment, const std::vector<Tensor>& outputs) {
  if (outputs.size() != segment.outputs.size()) {
    throw GradientError(kWhere, "the function gave " + std::to_string(outputs.size()) +
                                    " outputs when it ran again, and " +
                                    std::to_string(segment.outputs.size()) + " the first time");
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    const auto& [shape, dtype] = segment.outputs[i];
    if (outputs[i].defined() && outputs[i].shape() == shape && outputs[i].dtype() == dtype) continue;
    throw GradientError(kWhere, "the function gave " + describe(outputs[i]) + " as output " +
                                    std::to_string(i) + " when it ran again, and " +
                                    std::string(to_string(dtype)) + to_string(shape) + " the first time");
  }
}

Tensors Checkpoint::backward(const BackwardContext& context) const {
  const Segment& segment = *segment_;
  const bool record = grad_enabled();
  std::vector<Tensor> inputs, outputs, reached, gradients;
  for (size_t i = 0; i < segment.inputs; ++i) inputs.push_back(context.input(static_cast<int>(i)));
  const uint64_t start = next_sequence();
  {
    const RestoredGenerators generators(segment.generators);
    const EnableGrad enable;
    const Autocast autocast(segment.autocast);
    const SecondRun again;
    outputs = segment.f(inputs);
  }
  check_again(segment, outputs);
  for (size_t i = 0; i < outputs.size(); ++i) {
    const Tensor& gradient = context.gradient(static_cast<int>(i));
    if (!outputs[i].requires_grad() || !gradient.defined()) continue;
    reached.push_back(outputs[i]);
    gradients.push_back(gradient);
  }
  outputs.clear();
  // A tensor that comes in several ways gets the sum of them once.
  std::vector<GradientTarget> targets;
  std::vector<size_t> places;
  for (size_t i = 0; i < segment.targets.size(); ++i) {
    const GradientTarget& target = segment.targets[i];
    if (!context.wants(static_cast<int>(i))) continue;
    if (std::find(targets.begin(), targets.end(), target) != targets.end()) continue;
    targets.push_back(target);
    places.push_back(i);
  }
  std::vector<Tensor> found = gradients_since(start, reached, std::move(gradients), targets, record);
  Tensors result(segment.targets.size());
  for (size_t i = 0; i < places.size(); ++i) result[places[i]] = std::move(found[i]);
  return result;
}

/// Versions of the inputs, to see whether the function changes them.
class Unchanged {
 public:
  explicit Unchanged(const std::vector<Tensor>& inputs) : inputs_(inputs) {
    for (const Tensor& input : inputs) versions_.push_back(input.defined() ? input.version() : 0);
  }
  void check() const {
    for (size_t i = 0; i < inputs_.size(); ++i) {
      if (!inputs_[i].defined() || inputs_[i].version() == versions_[i]) continue;
      throw GradientError(kWhere, "the function changed its input " + std::to_string(i) + ", " +
                                      describe(inputs_[i]) + ", in place by " +
                                      inputs_[i].body().storage->last_writer() +
                                      ", so it cannot run again; change a copy instead");
    }
  }

 private:
  const std::vector<Tensor>& inputs_;
  std::vector<uint32_t> versions_;
};

}  // namespace

std::vector<Tensor> checkpoint(const Function& f, const std::vector<Tensor>& inputs) {
  if (!f) throw ValueError(kWhere, "the function is empty");
  if (inputs.size() > kMost) {
    throw ValueError(kWhere, std::to_string(inputs.size()) + " inputs; at most " + std::to_string(kMost) +
                                 " are taken, the function may capture the others");
  }
  // Inside the first run of another checkpoint nothing is recorded anyway; its second run comes here again.
  if (!grad_enabled() || Collector::listens()) return f(inputs);

  const auto segment = std::make_shared<Segment>();
  std::vector<Tensor> all = inputs, outputs;
  {
    std::vector<Tensor> plain;
    for (const Tensor& input : inputs) plain.push_back(input.defined() ? input.detach() : input);
    const Unchanged unchanged(inputs);
    Collector collector;
    DrawWatch watch;
    {
      const ListenerScope scope(ListenerSlot::tape, &collector);
      outputs = f(plain);
    }
    unchanged.check();
    for (const Tensor& output : outputs) {
      check_defined(kWhere, output);
      collector.note(output);
    }
    all.insert(all.end(), collector.captured().begin(), collector.captured().end());
    segment->generators = watch.drawn();
  }
  if (outputs.size() > kMost) {
    throw ValueError(
        kWhere, std::to_string(outputs.size()) + " outputs; at most " + std::to_string(kMost) + " are taken");
  }
  if (std::none_of(all.begin(), all.end(), [](const Tensor& tensor) { return tensor.requires_grad(); }))
    return outputs;
  // Handles of their own: an output may be a tensor that somebody else holds.
  for (Tensor& output : outputs) {
    output = output.detach();
    segment->outputs.emplace_back(output.shape(), output.dtype());
  }
  segment->f = f;
  segment->autocast = autocast_dtype();
  segment->inputs = inputs.size();
  for (const Tensor& tensor : all) {
    segment->targets.push_back(tensor.requires_grad() ? GradientTarget{tensor.body().gradient_node.get(),
                                                                       tensor.body().gradient_output}
                                                      : GradientTarget{});
  }
  const Checkpoint operation(segment);
  make_ref<OperationNode>(operation, all)->link_outputs(outputs, operation.saved_for_backward());
  return outputs;
}

bool recomputing() noexcept {
  return second_runs > 0;
}

Tensor checkpoint(const std::function<Tensor(const Tensor&)>& f, const Tensor& input) {
  if (!f) throw ValueError(kWhere, "the function is empty");
  const auto of_lists = [f](const std::vector<Tensor>& inputs) { return std::vector<Tensor>{f(inputs[0])}; };
  return checkpoint(Function(of_lists), std::vector<Tensor>{input})[0];
}

}  // namespace espalier
