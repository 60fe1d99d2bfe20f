#include "runtime/runner.h"

#include <chrono>

#include "core/parallel.h"
#include "core/profiler.h"
#include "runtime/given_tensors_internal.h"

namespace espalier::runtime {

/// A step with its tensors.
struct Runner::BoundStep {
  const Step* step;
  size_t first;  ///< of its tensors: inputs, then outputs
  void* scratch;
};

struct Runner::Bound {
  Tensor arena;
  std::vector<Ref<Storage>> inputs, results;  ///< by number; they look into the caller's memory
  std::vector<Ref<Storage>> changed_states;
  std::vector<BoundStep> steps;
  std::vector<Tensor> tensors;
};

Runner::Runner(std::shared_ptr<const Plan> plan) : plan_(std::move(plan)), bound_(std::make_unique<Bound>()) {
  const Graph& graph = plan_->graph();
  Bound& bound = *bound_;
  bound.arena = empty({static_cast<int64_t>(plan_->arena_bytes())}, Dtype::u8);
  bound.inputs.resize(graph.inputs().size());
  bound.results.resize(plan_->results().size());
  auto* const base = static_cast<char*>(bound.arena.raw_data());

  std::vector<Ref<Storage>> storages;
  for (const Buffer& buffer : plan_->buffers()) {
    const auto index = static_cast<size_t>(buffer.index);
    switch (buffer.place) {
      case Buffer::Place::arena:
        storages.push_back(lent(base + buffer.offset, buffer.bytes));
        break;
      case Buffer::Place::input:
        storages.push_back(bound.inputs[index] = lent(nullptr, buffer.bytes));
        break;
      case Buffer::Place::result:
        storages.push_back(bound.results[index] = lent(nullptr, buffer.bytes));
        break;
      case Buffer::Place::state:
      case Buffer::Place::constant:
        storages.push_back(graph.value(buffer.index).tensor.body().storage);
        break;
    }
  }
  for (const StateUpdate& update : graph.updates())
    bound.changed_states.push_back(graph.value(update.state).tensor.body().storage);

  const auto bind = [&](const Operand& operand) {
    if (operand.buffer < 0) return bound.tensors.emplace_back();
    const Tensor& type = operand.type;
    return bound.tensors.emplace_back(make_ref<TensorBody>(storages[static_cast<size_t>(operand.buffer)],
                                                           type.dtype(), type.shape(), type.strides(),
                                                           type.offset()));
  };
  for (const Step& step : plan_->steps()) {
    void* const scratch = step.scratch < 0 ? nullptr : storages[static_cast<size_t>(step.scratch)]->data();
    bound.steps.push_back({&step, bound.tensors.size(), scratch});
    for (const Operand& input : step.inputs) bind(input);
    for (const Operand& output : step.outputs) bind(output);
  }
}

Runner::~Runner() = default;
Runner::Runner(Runner&&) noexcept = default;
Runner& Runner::operator=(Runner&&) noexcept = default;

void Runner::bind(Inputs inputs, std::span<const Tensor> results) {
  Bound& bound = *bound_;
  const Graph& graph = plan_->graph();
  check_count("inputs", inputs.size(), graph.inputs().size());
  check_count("results", results.size(), plan_->results().size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    check_given("input", i, inputs[i], graph.value(graph.inputs()[i]).type);
    if (bound.inputs[i]) bound.inputs[i]->point_at(inputs[i].raw_data());
  }
  for (size_t i = 0; i < results.size(); ++i) {
    check_given("result", i, results[i], plan_->results()[i].type);
    bound.results[i]->point_at(results[i].raw_data());
  }
}

void Runner::run_step(int index) {
  const BoundStep& bound_step = bound_->steps[static_cast<size_t>(index)];
  const Step& step = *bound_step.step;
  const Span span(step.operation->name());
  const std::span<Tensor> tensors(bound_->tensors);
  const Inputs from = tensors.subspan(bound_step.first, step.inputs.size());
  const Outputs to = tensors.subspan(bound_step.first + step.inputs.size(), step.outputs.size());
  if (step.prepared)
    step.prepared->run(from, to, bound_step.scratch);
  else
    step.kernel->run(*step.operation, from, to, bound_step.scratch);
}

void Runner::run_lane(const std::vector<int>& steps) {
  for (const int step : steps) run_step(step);
}

void Runner::run_stage(const Stage& stage) {
  if (stage.lanes.size() == 1) {
    const ThreadCountGuard threads(stage.threads);
    run_lane(stage.lanes[0]);
    return;
  }
  parallel_for(0, static_cast<int64_t>(stage.lanes.size()), 1, [&](int64_t first, int64_t last) {
    const ThreadCountGuard threads(stage.threads);
    for (; first < last; ++first) run_lane(stage.lanes[static_cast<size_t>(first)]);
  });
}

void Runner::finish() {
  for (const Ref<Storage>& changed : bound_->changed_states) changed->bump_version("plan");
}

void Runner::run(Inputs inputs, std::span<const Tensor> results) {
  bind(inputs, results);
  const ThreadCountGuard threads(plan_->threads());
  for (const Stage& stage : plan_->stages()) {
    // Steps of some 100 ns see what a call costs.
    if (stage.threads == plan_->threads())
      run_lane(stage.lanes[0]);
    else
      run_stage(stage);
  }
  finish();
}

std::vector<Tensor> Runner::new_results() const {
  std::vector<Tensor> results;
  for (const Operand& result : plan_->results()) {
    const Tensor& type = result.type;
    results.push_back(empty_strided(type.shape(), type.strides(), type.dtype()));
  }
  return results;
}

std::vector<Tensor> Runner::run(Inputs inputs) {
  std::vector<Tensor> results = new_results();
  run(inputs, results);
  return results;
}

std::vector<double> Runner::time_steps(Inputs inputs) {
  using Clock = std::chrono::steady_clock;
  std::vector<double> seconds(plan_->steps().size());
  const std::vector<Tensor> results = new_results();
  bind(inputs, results);
  for (size_t i = 0; i < seconds.size(); ++i) {
    const ThreadCountGuard threads(plan_->steps()[i].threads);
    const Clock::time_point begin = Clock::now();
    run_step(static_cast<int>(i));
    seconds[i] = std::chrono::duration<double>(Clock::now() - begin).count();
  }
  finish();
  return seconds;
}

}  // namespace espalier::runtime
