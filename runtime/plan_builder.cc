#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <utility>

#include "core/door.h"
#include "core/parallel.h"
#include "ops/copy.h"
#include "runtime/plan_builder_internal.h"
#include "runtime/rewriter.h"
#include "runtime/schedule_internal.h"
#include "runtime/step_cost_internal.h"
#include "runtime/step_dependencies_internal.h"
#include "runtime/time_kernels_internal.h"
#include "runtime/write_view_internal.h"

namespace espalier::runtime {
namespace {

constexpr int kForever = std::numeric_limits<int>::max();

size_t bytes_of(const Value& value) {
  return value.type.body().storage->bytes();
}

bool same_layout(const Tensor& a, const Tensor& b) {
  return a.offset() == b.offset() && a.strides() == b.strides();
}

}  // namespace

bool fills_memory(const Tensor& type) {
  return type.offset() == 0 && is_dense(type.shape(), type.strides()) &&
         static_cast<size_t>(type.numel()) * size_of(type.dtype()) == type.body().storage->bytes();
}

PlanBuilder::PlanBuilder(const Graph& graph, const PlanOptions& options)
    : graph_(graph), last_use_(graph.values().size(), -1), buffer_of_(graph.values().size(), -1) {
  find_needed();
  for (size_t i = 0; i < graph.nodes().size(); ++i) add_node(i);
  put_out();
  write_states();
  choose_stages(options);
  for (Step& step : steps) choose_kernel_of(step, options);
}

void PlanBuilder::find_needed() {
  const auto keep = [&](ValueId id) {
    if (id != kAbsent) last_use_[static_cast<size_t>(id)] = kForever;
  };
  const std::vector<bool> needed = needed_nodes(graph_);
  for (size_t i = 0; i < needed.size(); ++i) {
    if (!needed[i]) continue;
    for (const ValueId id : graph_.nodes()[i].inputs) {
      if (id != kAbsent) last_use_[static_cast<size_t>(id)] = static_cast<int>(i);
    }
  }
  std::for_each(graph_.outputs().begin(), graph_.outputs().end(), keep);
  for (const StateUpdate& gradient : graph_.gradients()) keep(gradient.value);
  for (const StateUpdate& update : graph_.updates()) keep(update.value);
  for (const ValueId state : graph_.states()) {
    const bool moves = std::any_of(graph_.updates().begin(), graph_.updates().end(),
                                   [&](const StateUpdate& update) { return update.state == state; });
    if (!moves) keep(state);
  }
}

int PlanBuilder::add_buffer(Buffer buffer) {
  buffers.push_back(buffer);
  members_.emplace_back();
  return static_cast<int>(buffers.size() - 1);
}

void PlanBuilder::assign(ValueId id, int buffer) {
  buffer_of_[static_cast<size_t>(id)] = buffer;
  members_[static_cast<size_t>(buffer)].push_back(id);
}

int PlanBuilder::buffer_of(ValueId id) {
  int& known = buffer_of_[static_cast<size_t>(id)];
  if (known >= 0) return known;
  const Value& value = graph_.value(id);  // from outside: the results of nodes are known before they are read
  Buffer buffer{.place = Buffer::Place::constant, .index = id, .bytes = bytes_of(value)};
  if (value.origin == Value::Origin::state) {
    buffer.place = Buffer::Place::state;
  } else if (value.origin == Value::Origin::input) {
    const auto& inputs = graph_.inputs();
    buffer.place = Buffer::Place::input;
    buffer.index = static_cast<int>(std::find(inputs.begin(), inputs.end(), id) - inputs.begin());
  }
  assign(id, add_buffer(buffer));
  return buffer_of_[static_cast<size_t>(id)];
}

Operand PlanBuilder::operand(ValueId id) {
  if (id == kAbsent) return {};
  return {buffer_of(id), graph_.value(id).type};
}

void PlanBuilder::add_copy(const Operand& from, const Operand& to) {
  steps.push_back({.operation = std::make_shared<CopyInto>(), .inputs = {to, from}, .outputs = {to}});
}

/// The same elements in another buffer.
Operand PlanBuilder::copied(const Operand& from, int buffer) {
  const Operand to{buffer, from.type};
  add_copy(from, to);
  return to;
}

/// The memory of input `source`, which `node` updates, where nobody reads it afterwards, nor the node itself
/// by another input: a product that adds to what it reads would read its own results. Else that of a copy.
int PlanBuilder::buffer_for_update(int node, size_t source) {
  const Node& updating = graph_.nodes()[static_cast<size_t>(node)];
  const ValueId updated = updating.inputs[source];
  const int shared = buffer_of(updated);
  const Buffer::Place place = buffers[static_cast<size_t>(shared)].place;
  const std::vector<ValueId>& members = members_[static_cast<size_t>(shared)];
  const bool read_later = std::any_of(members.begin(), members.end(),
                                      [&](ValueId id) { return last_use_[static_cast<size_t>(id)] > node; });
  bool read_meanwhile = false;
  for (size_t i = 0; i < updating.inputs.size(); ++i) {
    // What write_view writes lies in the memory of the whole, where it then has nothing to do.
    read_meanwhile |= i != source && updating.inputs[i] != kAbsent &&
                      buffer_of(updating.inputs[i]) == shared &&
                      updating.operation->name() != WriteView::kName;
  }
  const bool may_change = place == Buffer::Place::arena || place == Buffer::Place::state;
  if (may_change && !read_later && !read_meanwhile) return shared;
  const int own = add_buffer({.bytes = bytes_of(graph_.value(updated))});
  copied(operand(updated), own);
  return own;
}

void PlanBuilder::add_node(size_t index) {
  const Node& node = graph_.nodes()[index];
  const auto unread = [&](ValueId id) { return last_use_[static_cast<size_t>(id)] < 0; };
  if (std::all_of(node.outputs.begin(), node.outputs.end(), unread)) return;
  Step step{.operation = node.operation, .marks = node.marks};
  for (const ValueId id : node.inputs) step.inputs.push_back(operand(id));
  bool computes = false;
  for (const ValueId id : node.outputs) {
    const Value& value = graph_.value(id);
    switch (value.kind) {
      case OutputSpec::Kind::fresh:
        assign(id, add_buffer({.bytes = bytes_of(value)}));
        computes = true;
        break;
      case OutputSpec::Kind::view:
        assign(id, buffer_of(node.inputs[static_cast<size_t>(value.source)]));
        break;
      case OutputSpec::Kind::update: {
        const auto source = static_cast<size_t>(value.source);
        step.inputs[source].buffer = buffer_for_update(static_cast<int>(index), source);
        assign(id, step.inputs[source].buffer);
        computes = true;
        break;
      }
    }
    step.outputs.push_back(operand(id));
  }
  if (computes) steps.push_back(std::move(step));
}

void PlanBuilder::put_out() {
  std::vector<ValueId> wanted = graph_.outputs();
  for (const StateUpdate& gradient : graph_.gradients()) {
    if (gradient.value != kAbsent) wanted.push_back(gradient.value);
  }
  for (size_t i = 0; i < wanted.size(); ++i) {
    const Operand made = operand(wanted[i]);
    Buffer& buffer = buffers[static_cast<size_t>(made.buffer)];
    if (buffer.place == Buffer::Place::arena && fills_memory(made.type)) {
      buffer.place = Buffer::Place::result;
      buffer.index = static_cast<int>(i);
      results.push_back(made);
      continue;
    }
    const Tensor type = empty(made.type.shape(), made.type.dtype(), kMeta);
    const int own = add_buffer({.place = Buffer::Place::result,
                                .index = static_cast<int>(i),
                                .bytes = type.body().storage->bytes()});
    results.push_back({own, type});
    add_copy(made, results.back());
  }
}

void PlanBuilder::write_states() {
  struct Write {
    Operand from, to;
  };
  std::vector<Write> writes;
  for (const StateUpdate& update : graph_.updates()) {
    const Write write{operand(update.value), operand(update.state)};
    if (write.from.buffer != write.to.buffer || !same_layout(write.from.type, write.to.type))
      writes.push_back(write);
  }
  // What lies in memory that is about to be written moves out of the way first.
  for (Write& write : writes) {
    const bool overwritten = std::any_of(writes.begin(), writes.end(), [&](const Write& other) {
      return other.to.buffer == write.from.buffer;
    });
    if (overwritten)
      write.from = copied(write.from, add_buffer({.bytes = write.from.type.body().storage->bytes()}));
  }
  for (const Write& write : writes) add_copy(write.from, write.to);
}

PlanBuilder::StepTensors PlanBuilder::tensors_of(const Step& step) const {
  std::map<int, Ref<Storage>> storages;  // of buffers
  const auto as_planned = [&](const Operand& operand) {
    if (operand.buffer < 0) return Tensor();
    const Buffer& buffer = buffers[static_cast<size_t>(operand.buffer)];
    Ref<Storage>& storage = storages[operand.buffer];
    if (!storage) {
      storage =
          buffer.place == Buffer::Place::constant
              ? graph_.value(buffer.index).tensor.body().storage
              : make_ref<Storage>(static_cast<void*>(nullptr), buffer.bytes, kCpu, std::function<void()>());
    }
    const Tensor& type = operand.type;
    return Tensor(make_ref<TensorBody>(storage, type.dtype(), type.shape(), type.strides(), type.offset()));
  };
  StepTensors tensors;
  for (size_t i = 0; i < step.inputs.size(); ++i) {
    const Operand& input = step.inputs[i];
    tensors.inputs.push_back(as_planned(input));
    if (i < 32 && input.buffer >= 0 &&
        buffers[static_cast<size_t>(input.buffer)].place == Buffer::Place::constant)
      tensors.constants |= 1u << i;
  }
  for (const Operand& output : step.outputs) tensors.outputs.push_back(as_planned(output));
  return tensors;
}

StepSeconds PlanBuilder::seconds_of(const Step& step, int threads, KernelChoices* choices) const {
  StepSeconds seconds = estimated_seconds(step, threads);
  if (!choices || threads == 1 || !worth_timing(seconds)) return seconds;
  StepTensors tensors = tensors_of(step);
  const auto timed = [&](int count) {
    const ThreadCountGuard guard(count);
    return kernel_seconds(*step.operation, tensors.inputs, tensors.outputs, tensors.constants, *choices);
  };
  const std::optional<double> one = timed(1), all = timed(threads);
  if (!one || !all) return seconds;
  seconds.one = *one;
  seconds.all = *all;
  return seconds;
}

/// Whether a buffer's content is there in the next run.
bool PlanBuilder::stays(int buffer) const {
  const Buffer::Place place = buffers[static_cast<size_t>(buffer)].place;
  return place == Buffer::Place::constant || place == Buffer::Place::state;
}

size_t PlanBuilder::bytes_that_stay() const {
  size_t bytes = 0;
  for (size_t i = 0; i < buffers.size(); ++i) bytes += stays(static_cast<int>(i)) ? buffers[i].bytes : 0;
  return bytes;
}

size_t PlanBuilder::bytes_that_stay(const Step& step) const {
  size_t bytes = 0;
  for (const Operand& input : step.inputs) {
    if (input.buffer >= 0 && stays(input.buffer)) bytes += buffers[static_cast<size_t>(input.buffer)].bytes;
  }
  return std::min(bytes, static_cast<size_t>(cost_of(step).bytes));  // of a table some rows are read
}

void PlanBuilder::choose_stages(const PlanOptions& options) {
  if (options.equality == Equality::strict) {
    stages = stages_on(options.threads, steps.size());
  } else {
    std::vector<StepSeconds> seconds;
    const bool sharing_pays = stays_near_if_shared(bytes_that_stay(), options.threads);
    for (const Step& step : steps) {
      seconds.push_back(seconds_of(step, options.threads, options.choices));
      if (sharing_pays) seconds.back().far = seconds_from_afar(bytes_that_stay(step));
    }
    stages =
        schedule(dependencies_of(graph_, steps, buffers), seconds, options.threads, options.side_by_side);
  }
  for (size_t i = 0; i < stages.size(); ++i) {
    const std::vector<std::vector<int>>& lanes = stages[i].lanes;
    for (size_t lane = 0; lane < lanes.size(); ++lane) {
      for (const int index : lanes[lane]) {
        Step& step = steps[static_cast<size_t>(index)];
        step.stage = static_cast<int>(i);
        step.lane = static_cast<int>(lane);
        step.threads = stages[i].threads;
      }
    }
  }
}

void PlanBuilder::choose_kernel_of(Step& step, const PlanOptions& options) {
  const ThreadCountGuard guard(step.threads);
  auto [inputs, outputs, constants] = tensors_of(step);
  step.kernel = options.choices
                    ? &choose_timed_kernel(*step.operation, inputs, outputs, constants, *options.choices)
                    : &choose_kernel(*step.operation, inputs, outputs, kCpu);
  if (options.equality == Equality::strict && step.kernel->packed_sums) constants = 0;
  if (step.kernel->prepare) step.prepared = step.kernel->prepare(*step.operation, inputs, outputs, constants);
  const size_t scratch = step.prepared ? step.prepared->scratch_bytes()
                                       : step.kernel->scratch_bytes(*step.operation, inputs, outputs);
  if (scratch > 0) step.scratch = add_buffer({.bytes = scratch});
}

}  // namespace espalier::runtime
