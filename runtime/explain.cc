#include "runtime/explain.h"

#include <algorithm>
#include <sstream>

#include "core/create.h"
#include "core/door.h"
#include "core/error.h"
#include "ops/cast.h"
#include "ops/copy.h"
#include "ops/random.h"
#include "runtime/step_cost_internal.h"
#include "runtime/time_kernels_internal.h"

namespace espalier::runtime {
namespace {

/// `1.23 G`: a number with three digits and a prefix of its magnitude.
std::string with_prefix(double value) {
  const char* prefix = "";
  for (const char* next : {"k", "M", "G", "T"}) {
    if (value < 999.5) break;
    value /= 1000;
    prefix = next;
  }
  return report::fixed(value, value < 9.995 ? 2 : value < 99.95 ? 1 : 0) + " " + prefix;
}

std::string attributes_text(const Operation& operation) {
  std::ostringstream text;
  text << attributes_of(operation);
  return text.str();
}

std::string results_of(const Step& step) {
  std::string text;
  for (const Operand& output : step.outputs) text += (text.empty() ? "" : ", ") + type_text(output.type);
  return text;
}

std::string results_of(const Graph& graph, const Node& node) {
  std::string text;
  for (const ValueId id : node.outputs) text += (text.empty() ? "" : ", ") + type_text(graph.value(id).type);
  return text;
}

/// `2`, or `lane 1 of 2` for a step that runs beside others.
std::string threads_text(const StepReport& report) {
  const size_t lanes = report.stage->lanes.size();
  if (lanes == 1) return std::to_string(report.step->threads);
  return "lane " + std::to_string(report.step->lane + 1) + " of " + std::to_string(lanes);
}

/// What was timed for a step of the plan.
KernelChoices::Timings candidates_of(const Plan& plan, const Step& step, const KernelChoices& choices) {
  Tensors inputs;
  uint32_t constants = 0;
  for (size_t i = 0; i < step.inputs.size(); ++i) {
    const Operand& input = step.inputs[i];
    inputs.push_back(input.buffer < 0 ? Tensor() : input.type);
    if (i < 32 && input.buffer >= 0 &&
        plan.buffers()[static_cast<size_t>(input.buffer)].place == Buffer::Place::constant)
      constants |= 1u << i;
  }
  const auto* timings = choices.find(problem_text(*step.operation, inputs, constants, step.threads));
  return timings && timings->size() > 1 ? *timings : KernelChoices::Timings();
}

/// `direct 1.31 x, onednn 1.52 x`: the candidates beside the kernel that runs, by its time.
std::string others_text(const StepReport& report) {
  const auto runs = [&](const KernelTiming& timing) { return timing.kernel == report.step->kernel->name; };
  const auto chosen = std::find_if(report.candidates.begin(), report.candidates.end(), runs);
  std::string text;
  for (const KernelTiming& timing : report.candidates) {
    if (runs(timing)) continue;
    text += (text.empty() ? "" : ", ") + timing.kernel;
    if (chosen != report.candidates.end())
      text += " " + report::fixed(timing.seconds / chosen->seconds, 2) + " x";
  }
  return text;
}

double total(std::span<const StepReport> steps) {
  double seconds = 0;
  for (const StepReport& step : steps) seconds += step.seconds;
  return seconds;
}

}  // namespace

std::vector<Tensor> made_up_inputs(const Graph& graph) {
  const NoGrad no_grad;
  std::vector<Tensor> inputs;
  for (const ValueId id : graph.inputs()) {
    const Tensor& type = graph.value(id).type;
    const Tensor elements = is_floating(type.dtype()) ? cast(normal(type.shape()), type.dtype())
                                                      : zeros(type.shape(), type.dtype());
    inputs.push_back(empty_strided(type.shape(), type.strides(), type.dtype()));
    copy_(inputs.back(), elements);
  }
  return inputs;
}

std::vector<StepReport> explain(Runner& runner, Inputs inputs, int rounds, const KernelChoices* choices) {
  if (rounds < 1) throw ValueError("explain", std::to_string(rounds) + " rounds; expected at least 1");
  const std::vector<Step>& steps = runner.plan().steps();
  runner.run(inputs);
  std::vector<std::vector<double>> times(steps.size());
  for (int round = 0; round < rounds; ++round) {
    const std::vector<double> seconds = runner.time_steps(inputs);
    for (size_t i = 0; i < steps.size(); ++i) times[i].push_back(seconds[i]);
  }
  std::vector<StepReport> reports;
  for (size_t i = 0; i < steps.size(); ++i) {
    const auto middle = times[i].begin() + rounds / 2;
    std::nth_element(times[i].begin(), middle, times[i].end());
    const Stage& stage = runner.plan().stages()[static_cast<size_t>(steps[i].stage)];
    reports.push_back({&steps[i], &stage, cost_of(steps[i]), *middle});
    if (choices) reports.back().candidates = candidates_of(runner.plan(), steps[i], *choices);
  }
  return reports;
}

report::Table step_table(std::span<const StepReport> steps) {
  const bool timed = std::any_of(steps.begin(), steps.end(),
                                 [](const StepReport& report) { return !report.candidates.empty(); });
  std::vector<std::string> header = {"operation", "kernel",       "threads", "result", "FLOPs",
                                     "bytes",     "microseconds", "share",   "FLOP/s", "B/s"};
  if (timed) header.emplace_back("other kernels");
  report::Table table(header);
  const double all = total(steps);
  for (const StepReport& report : steps) {
    const auto flops = static_cast<double>(report.cost.flops), bytes = static_cast<double>(report.cost.bytes);
    std::vector<std::string> row = {
        std::string(report.step->operation->name()),
        report.step->kernel->name + std::string(report.step->prepared ? ", prepared" : ""),
        threads_text(report),
        results_of(*report.step),
        with_prefix(flops),
        with_prefix(bytes),
        report::fixed(report.seconds * 1e6, 1),
        report::fixed(100 * report.seconds / all, 1) + " %",
        with_prefix(flops / report.seconds),
        with_prefix(bytes / report.seconds)};
    if (timed) row.push_back(others_text(report));
    table.add_row(std::move(row));
  }
  return table;
}

report::Svg draw(const Graph& graph) {
  std::vector<report::FlowBox> boxes;
  std::vector<report::FlowArrow> arrows;
  std::vector<int> box_of(graph.values().size(), -1);
  for (const ValueId id : graph.inputs()) {
    box_of[static_cast<size_t>(id)] = static_cast<int>(boxes.size());
    boxes.push_back({.name = graph.name_of(id), .text = type_text(graph.value(id).type)});
  }
  for (const Node& node : graph.nodes()) {
    const size_t here = boxes.size();
    std::string reads;
    for (const ValueId id : node.inputs) {
      if (id == kAbsent) continue;
      if (const int from = box_of[static_cast<size_t>(id)]; from >= 0)
        arrows.push_back({static_cast<size_t>(from), here});
      else
        reads += " " + graph.name_of(id);
    }
    for (const ValueId id : node.outputs) box_of[static_cast<size_t>(id)] = static_cast<int>(here);
    boxes.push_back({.name = std::string(node.operation->name()),
                     .text = results_of(graph, node),
                     .detail = std::string(node.operation->name()) + "(" + attributes_text(*node.operation) +
                               ")" + (reads.empty() ? "" : " reads" + reads)});
  }
  return report::flow_chart(boxes, arrows);
}

report::Svg draw(const Plan& plan, std::span<const StepReport> steps) {
  const Graph& graph = plan.graph();
  std::vector<report::FlowBox> boxes;
  std::vector<report::FlowArrow> arrows;
  std::vector<int> writer(plan.buffers().size(), -1);  // the box that last wrote into a buffer
  for (size_t i = 0; i < plan.buffers().size(); ++i) {
    if (plan.buffers()[i].place != Buffer::Place::input) continue;
    const ValueId id = graph.inputs()[static_cast<size_t>(plan.buffers()[i].index)];
    writer[i] = static_cast<int>(boxes.size());
    boxes.push_back({.name = graph.name_of(id), .text = type_text(graph.value(id).type)});
  }
  const double all = total(steps);
  double most = 0;
  for (const StepReport& report : steps) most = std::max(most, report.seconds);
  for (const StepReport& report : steps) {
    const Step& step = *report.step;
    const size_t here = boxes.size();
    for (const Operand& input : step.inputs) {
      if (input.buffer < 0) continue;
      if (const int from = writer[static_cast<size_t>(input.buffer)]; from >= 0)
        arrows.push_back({static_cast<size_t>(from), here});
    }
    for (const Operand& output : step.outputs)
      writer[static_cast<size_t>(output.buffer)] = static_cast<int>(here);
    const double share = report.seconds / all;
    const std::string others = others_text(report);
    boxes.push_back({.name = std::string(step.operation->name()),
                     .text = results_of(step) + ", " + report::fixed(100 * share, 1) + " %",
                     .detail = std::string(step.operation->name()) + "(" + attributes_text(*step.operation) +
                               "), kernel " + step.kernel->name + ", threads " + threads_text(report) + ", " +
                               report::fixed(report.seconds * 1e6, 1) + " microseconds" +
                               (others.empty() ? "" : "; others: " + others),
                     .heat = report.seconds / most});
  }
  return report::flow_chart(boxes, arrows);
}

}  // namespace espalier::runtime
