// The commands on packages: graphs that are saved with their weights.

#include "runtime/package.h"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

#include <nlohmann/json.hpp>

#include "autograd/autograd.h"
#include "cli/answers.h"
#include "cli/commands.h"
#include "cli/model_file.h"
#include "cli/onnx_file.h"
#include "cli/output.h"
#include "core/create.h"
#include "core/error.h"
#include "data/transforms.h"
#include "ops/add.h"
#include "ops/cast.h"
#include "ops/concat.h"
#include "ops/copy.h"
#include "ops/multiply.h"
#include "ops/random.h"
#include "ops/reshape.h"
#include "ops/slice.h"
#include "report/page.h"
#include "runtime/capture.h"
#include "runtime/explain.h"
#include "runtime/kernel_choices.h"
#include "runtime/onnx.h"
#include "runtime/passes.h"
#include "runtime/quantize.h"

namespace espalier::cli {
namespace {

/// A number for each channel, to be broadcast along the others of a batch of inputs.
Tensor by_channel(const std::vector<double>& values, const Problem& problem) {
  const std::vector<float> numbers(values.begin(), values.end());
  const Tensor row = from_values(numbers, {static_cast<int64_t>(numbers.size())});
  return problem.input.rank() == 3 ? reshape(row, {row.numel(), 1, 1}) : row;
}

/// What the model makes of inputs as they come, images being f32 from 0 to 1.
Tensor answer(const Model& model, const Tensor& inputs) {
  const std::optional<Normalisation> numbers = normalisation(model.recipe, model.problem);
  if (!numbers) return model.network(inputs);
  const auto& [mean, deviation] = *numbers;
  static_cast<void>(data::normalise(mean, deviation));  // checks them
  std::vector<double> scale, shift;
  for (size_t i = 0; i < mean.size(); ++i) {
    scale.push_back(1 / deviation[i]);
    shift.push_back(-mean[i] / deviation[i]);
  }
  return model.network(inputs * by_channel(scale, model.problem) + by_channel(shift, model.problem));
}

Shape batch_shape(const Problem& problem, int64_t batch) {
  Shape shape = problem.input;
  shape.insert(0, batch);
  return shape;
}

/// The files that a name stands for: itself, or all in the folder, by their names.
std::vector<std::string> files_of(const std::string& name) {
  if (!std::filesystem::is_directory(name)) return {name};
  std::set<std::string> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(name, error)) {
    if (entry.is_regular_file(error)) files.insert(entry.path().string());
  }
  if (error) throw IoError(name, error.message());
  if (files.empty()) throw IoError(name, "holds no files");
  return {files.begin(), files.end()};
}

/// Images of bytes as numbers from 0 to 1, other inputs as they are.
Tensor as_input(const Tensor& inputs) {
  return inputs.dtype() == Dtype::u8 ? cast(inputs, Dtype::f32) * (1.0 / 255) : inputs;
}

/// A package, ready to run.
struct Opened {
  Recipe recipe;
  Problem problem;
  runtime::Runner runner;

  int64_t batch() const { return input().shape()[0]; }
  const Tensor& input() const {
    const runtime::Graph& graph = runner.plan().graph();
    return graph.value(graph.inputs()[0]).type;
  }
};

/// Whether a graph takes a batch of inputs, and puts out as many answers.
bool fits(const runtime::Graph& graph, const Problem& problem) {
  if (graph.inputs().size() != 1 || graph.outputs().size() != 1) return false;
  const Tensor &input = graph.value(graph.inputs()[0]).type, &output = graph.value(graph.outputs()[0]).type;
  const bool text = problem.kind == Problem::Kind::text;
  if (input.rank() != problem.input.rank() + 1 || input.size(0) < 1 ||
      input.shape() != batch_shape(problem, input.size(0)) ||
      input.dtype() != (text ? Dtype::i64 : Dtype::f32))
    return false;
  const Shape answers =
      text ? Shape{input.size(0), problem.input[0], problem.outputs} : Shape{input.size(0), problem.outputs};
  return output.shape() == answers;
}

runtime::Package read_package(const std::string& file) {
  if (file.empty()) throw ValueError("command", "expected a package, which 'espalier compile' writes");
  return runtime::load_package(file);
}

/// A runner of a package's graph. `file` names a file of kernel choices, or none: they are read, used, and
/// those that were missing added.
runtime::Runner runner_of(const runtime::Graph& graph, const std::string& file,
                          runtime::KernelChoices& choices) {
  const runtime::Graph optimised = runtime::optimise(graph);
  if (file.empty()) return runtime::Runner(std::make_shared<const runtime::Plan>(optimised));
  choices = runtime::KernelChoices::load(file);
  const size_t known = choices.problems().size();
  runtime::Runner runner(
      std::make_shared<const runtime::Plan>(optimised, runtime::PlanOptions{.choices = &choices}));
  if (choices.problems().size() > known) choices.save(file);
  return runner;
}

Opened open_package(const std::string& file, const std::string& kernels) {
  const runtime::Package package = read_package(file);
  Recipe recipe;
  Problem problem;
  read_notes(package.notes, file, recipe, problem);
  const runtime::Graph& graph = package.graph;
  if (!fits(graph, problem))
    throw FormatError(file, "holds a graph that does not fit the problem that it names");
  runtime::KernelChoices choices;
  return {recipe, problem, runner_of(graph, kernels, choices)};
}

/// The outputs for any number of examples, in batches as the plan takes them; the last one is filled up with
/// zeros.
Tensor answers_for(Opened& package, const Tensor& examples) {
  std::vector<Tensor> parts;
  const int64_t batch = package.batch(), count = examples.size(0);
  for (int64_t first = 0; first < count; first += batch) {
    const int64_t taken = std::min(batch, count - first);
    Tensor part = slice(examples, 0, {first, first + taken});
    if (taken < batch)
      part = concat(std::vector{part, zeros(batch_shape(package.problem, batch - taken))}, 0);
    const Tensor inputs[] = {contiguous(part)};
    parts.push_back(slice(package.runner.run(inputs)[0], 0, {0, taken}));
  }
  return concat(parts, 0);
}

/// A graph with its notes, from which a package is made.
runtime::Package captured_model(const CompileFlags& flags) {
  if (!flags.sizes.empty() || !flags.classes.empty())
    throw ValueError("compile", "takes --size and --classes with an ONNX model only");
  Model model = open_model(flags.model);
  const Dtype dtype = model.problem.kind == Problem::Kind::text ? Dtype::i64 : Dtype::f32;
  const Tensor example = empty(batch_shape(model.problem, flags.batch), dtype, kMeta);
  return {runtime::capture([&](const Tensor& x) { return answer(model, x); }, {example},
                           runtime::State(model.network)),
          notes(model.recipe, model.problem)};
}

/// Something for each input of a graph.
std::vector<Tensor> any_inputs(const runtime::Graph& graph) {
  std::vector<Tensor> inputs;
  for (const runtime::ValueId id : graph.inputs()) {
    const Tensor& type = graph.value(id).type;
    const Tensor elements = is_floating(type.dtype()) ? cast(normal(type.shape()), type.dtype())
                                                      : zeros(type.shape(), type.dtype());
    inputs.push_back(empty_strided(type.shape(), type.strides(), type.dtype()));
    copy_(inputs.back(), elements);
  }
  return inputs;
}

/// The network on 8-bit integers, calibrated on training examples.
runtime::Graph quantized(const runtime::Graph& graph, const CompileFlags& flags) {
  constexpr int64_t kExamples = 256;  // the ranges of a few hundred examples hardly grow with more
  Model model = open_model(flags.model);
  if (!flags.data_path.empty()) model.recipe.path = flags.data_path;
  const Task task = open_task(model.recipe);
  if (task.problem.input != model.problem.input)
    throw ValueError(flags.model, "takes examples " + to_string(model.problem.input) +
                                      "; the data for calibration has " + to_string(task.problem.input));
  std::vector<std::vector<Tensor>> batches;
  const int64_t count = (kExamples + flags.batch - 1) / flags.batch, total = count * flags.batch;
  for (int64_t batch = 0; batch < count; ++batch) {
    std::vector<int64_t> numbers;
    for (int64_t i = batch * flags.batch; i < (batch + 1) * flags.batch; ++i)
      numbers.push_back(i * task.train.size() / total);
    batches.push_back({as_input(task.train.read(numbers).inputs)});
  }
  return runtime::quantize(graph, runtime::calibrate(graph, batches));
}

}  // namespace

Exit compile(const CompileFlags& flags) {
  if (flags.model.empty() || flags.to.empty())
    throw ValueError("compile", "expected a model and the package to write");
  constexpr int64_t kMostExamples = 1 << 20;
  if (flags.batch < 1 || flags.batch > kMostExamples) {
    throw ValueError("--batch", "is " + std::to_string(flags.batch) + "; expected a whole number from 1 to " +
                                    std::to_string(kMostExamples));
  }
  const NoGrad no_grad;
  const bool onnx = is_onnx(flags.to);
  if (flags.int8 && (onnx || is_onnx(flags.model)))
    throw ValueError("--int8", "makes packages of trained models; ONNX models are read and written in f32");
  const auto [captured, notes] = is_onnx(flags.model) ? open_onnx(flags) : captured_model(flags);
  runtime::Graph graph = onnx ? captured : runtime::optimise(runtime::freeze(captured));
  if (flags.int8) graph = quantized(graph, flags);
  if (onnx)
    runtime::save_onnx(graph, flags.to);
  else
    runtime::save_package(flags.to, graph, notes);
  const auto bytes = static_cast<int64_t>(std::filesystem::file_size(flags.to));
  if (flags.json) {
    std::cout
        << nlohmann::json{{"package", flags.to}, {"nodes", graph.nodes().size()}, {"bytes", bytes}}.dump()
        << '\n';
  } else {
    std::cout << flags.to << ": " << graph.nodes().size() << " operations (" << captured.nodes().size()
              << " before the passes), " << bytes << " bytes\n";
  }
  return Exit::done;
}

Exit run_package(const RunFlags& flags) {
  Opened package = open_package(flags.package, flags.kernels);
  if (package.problem.kind == Problem::Kind::text)
    throw ValueError("run", flags.package + " is a text model, with which 'espalier predict' goes on");
  if (flags.inputs.empty())
    throw ValueError("run", "expected files to read: images, arrays in .npy, or folders of them");
  Answers answers(package.problem, flags.top);
  for (const std::string& name : flags.inputs) {
    for (const std::string& file : files_of(name)) {
      const Tensor inputs = read_inputs(package.recipe, package.problem, file);
      answers.add(file, answers_for(package, as_input(inputs)));
    }
  }
  answers.print(flags.json);
  return Exit::done;
}

Exit explain(const ExplainFlags& flags) {
  constexpr int64_t kMostRounds = 100000;
  if (flags.rounds < 1 || flags.rounds > kMostRounds) {
    throw ValueError("--rounds", "is " + std::to_string(flags.rounds) +
                                     "; expected a whole number from 1 to " + std::to_string(kMostRounds));
  }
  runtime::KernelChoices choices;
  runtime::Runner runner = runner_of(read_package(flags.package).graph, flags.kernels, choices);
  const runtime::Plan& plan = runner.plan();
  const std::vector<runtime::StepReport> steps =
      runtime::explain(runner, any_inputs(plan.graph()), static_cast<int>(flags.rounds));
  const bool timed = !choices.problems().empty();
  double seconds = 0;
  for (const runtime::StepReport& step : steps) seconds += step.seconds;
  if (!flags.page.empty()) {
    report::Page page(std::filesystem::path(flags.package).filename().string());
    page.key_values({{"steps", std::to_string(steps.size())},
                     {"threads", std::to_string(plan.threads())},
                     {"microseconds", report::fixed(seconds * 1e6, 1)},
                     {"memory for a run, bytes", std::to_string(plan.arena_bytes())},
                     {"least possible, bytes", std::to_string(plan.least_arena_bytes())}});
    page.heading("Steps");
    page.table(runtime::step_table(steps));
    if (timed) {
      page.heading("Kernels");
      page.table(runtime::choices_table(choices));
    }
    page.heading("Plan");
    page.figure(runtime::draw(plan, steps));
    page.heading("Graph");
    page.figure(runtime::draw(plan.graph()));
    page.save(flags.page);
  }
  if (!flags.json) {
    std::cout << runtime::step_table(steps) << steps.size() << " steps, " << report::fixed(seconds * 1e6, 1)
              << " microseconds with " << plan.threads() << (plan.threads() == 1 ? " thread" : " threads")
              << "; memory for a run: " << plan.arena_bytes() << " bytes, at least "
              << plan.least_arena_bytes() << '\n';
    if (timed) std::cout << runtime::choices_table(choices);
    return Exit::done;
  }
  nlohmann::json rows = nlohmann::json::array();
  for (const runtime::StepReport& step : steps) {
    rows.push_back({{"operation", step.step->operation->name()},
                    {"kernel", step.step->kernel->name},
                    {"flops", step.cost.flops},
                    {"bytes", step.cost.bytes},
                    {"seconds", step.seconds}});
  }
  std::cout << nlohmann::json{{"steps", rows},
                              {"seconds", seconds},
                              {"threads", plan.threads()},
                              {"arena_bytes", plan.arena_bytes()},
                              {"least_arena_bytes", plan.least_arena_bytes()}}
                   .dump()
            << '\n';
  return Exit::done;
}

}  // namespace espalier::cli
