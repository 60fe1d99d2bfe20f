// The command compile: a trained model, or an ONNX model, becomes a package or an ONNX model.

#include <algorithm>
#include <array>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "autograd/autograd.h"
#include "cli/commands.h"
#include "cli/model_file.h"
#include "cli/nearest.h"
#include "cli/onnx_file.h"
#include "cli/package_file.h"
#include "core/create.h"
#include "core/error.h"
#include "data/transforms.h"
#include "ops/add.h"
#include "ops/int8_conv2d.h"
#include "ops/int8_linear.h"
#include "ops/multiply.h"
#include "ops/reshape.h"
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

/// The graphs of a trained model: for batches of one size or, where none is given, any, and for texts of any
/// length up to the model's.
runtime::GraphFamily captured_model(Model& model, std::optional<int64_t> batch) {
  constexpr int64_t kExample = 4;  // 3 and 2 beside it are no special sizes, either
  Shape shape = batch_shape(model.problem, batch.value_or(kExample));
  std::vector<runtime::FreeAxis> axes = {{"batch", 0, 0}};
  const bool text = model.problem.kind == Problem::Kind::text;
  if (text && !batch && shape[1] > kExample) {
    axes.push_back({"time", 0, 1});
    --shape[1];  // the full length is special: nothing is cut to it
  }
  const Tensor example = empty(shape, text ? Dtype::i64 : Dtype::f32, kMeta);
  const auto answers = [&](const Tensor& x) { return answer(model, x); };
  const runtime::State state(model.network);
  if (batch) return runtime::capture(answers, {example}, state);
  return runtime::capture_family(answers, axes, {example}, state);
}

runtime::Package captured(const CompileFlags& flags, std::optional<int64_t> batch) {
  if (is_onnx(flags.model)) return open_onnx(flags, batch);
  if (!flags.sizes.empty() || !flags.classes.empty())
    throw ValueError("compile", "takes --size and --classes with an ONNX model only");
  Model model = open_model(flags.model);
  return {captured_model(model, batch), notes(model.recipe, model.problem)};
}

/// The graphs after all passes, or those that keep all bits. Where one of them makes of constants what
/// depends on the sizes by no rule (a table cut to the length of a text), it is left to who opens the
/// package, and knows the sizes.
runtime::GraphFamily improved(const runtime::GraphFamily& graphs, bool strict) {
  const runtime::GraphFamily frozen =
      graphs.map([](const runtime::Graph& graph) { return runtime::freeze(graph); });
  try {
    return frozen.map(
        [&](const runtime::Graph& graph) { return runtime::optimise(graph, equality(strict)); });
  } catch (const ValueError&) {
    std::vector<std::string_view> names;
    for (const runtime::Pass& pass : runtime::passes()) {
      if (pass.name != "fold_constants" && (pass.keeps_bits || !strict)) names.push_back(pass.name);
    }
    return frozen.map([&](const runtime::Graph& graph) { return runtime::optimise(graph, names); });
  }
}

/// The network on 8-bit integers, calibrated on training examples; where a file has times, without the layers
/// that are no faster so.
runtime::GraphFamily quantized(const runtime::GraphFamily& graphs, const CompileFlags& flags) {
  constexpr int64_t kExamples = 256;  // the ranges of a few hundred examples hardly grow with more
  constexpr int64_t kBatch = 32;      // where any will do
  Model model = open_model(flags.model);
  if (!flags.data_path.empty()) model.recipe.path = flags.data_path;
  const Task task = open_task(model.recipe);
  if (task.problem.input != model.problem.input)
    throw ValueError(flags.model, "takes examples " + to_string(model.problem.input) +
                                      "; the data for calibration has " + to_string(task.problem.input));
  runtime::Sizes sizes = graphs.example_sizes();
  if (const auto free = free_batch(graphs)) sizes[*free] = kBatch;
  const runtime::Graph graph = graphs.at(sizes);
  const int64_t batch = graph.value(graph.inputs()[0]).type.size(0);
  std::vector<std::vector<Tensor>> batches;
  const int64_t count = (kExamples + batch - 1) / batch, total = count * batch;
  for (int64_t first = 0; first < total; first += batch) {
    std::vector<int64_t> numbers;
    for (int64_t i = first; i < first + batch; ++i) numbers.push_back(i * task.train.size() / total);
    batches.push_back({as_input(task.train.read(numbers).inputs)});
  }
  const runtime::Quantizations quantizations = runtime::calibrate(graph, batches);
  std::vector<runtime::ValueId> in_f32;
  if (!flags.kernels.empty()) {
    runtime::KernelChoices choices = runtime::KernelChoices::load(flags.kernels);
    in_f32 = runtime::slower_in_8_bits(graph, quantizations, choices);
    choices.save(flags.kernels);
  }
  return graphs.map([&](const runtime::Graph& one) { return runtime::quantize(one, quantizations, in_f32); });
}

/// What is written, and how it came about.
struct Compiled {
  runtime::Package package;
  size_t captured_nodes;
};

Compiled compiled(const CompileFlags& flags, std::optional<int64_t> batch) {
  runtime::Package package = captured(flags, batch);
  const size_t nodes = package.graph().nodes().size();
  if (!is_onnx(flags.to)) package.graphs = improved(package.graphs, flags.strict);
  if (flags.int8) package.graphs = quantized(package.graphs, flags);
  return {std::move(package), nodes};
}

/// For batches as the flags say. `reason` is why the batch is not free where they leave that open.
Compiled compiled(const CompileFlags& flags, std::string& reason) {
  if (flags.batch) return compiled(flags, flags.batch);
  if (is_onnx(flags.to)) {
    reason = "ONNX models are written for batches of one size";
    return compiled(flags, 1);
  }
  try {
    return compiled(flags, std::nullopt);
  } catch (const Error& error) {
    reason = error.what();
  }
  return compiled(flags, 1);  // which fails as well where the sizes are not what was wrong
}

void check_flags(const CompileFlags& flags) {
  if (flags.model.empty() || flags.to.empty())
    throw ValueError("compile", "expected a model and the package to write");
  check_batch(flags.batch);
  if (flags.int8 && (is_onnx(flags.to) || is_onnx(flags.model)))
    throw ValueError("--int8", "makes packages of trained models; ONNX models are read and written in f32");
  if (!flags.kernels.empty() && !flags.int8)
    throw ValueError("--kernels",
                     "says which layers --int8 makes faster; 'espalier run' takes it for others");
  if (flags.strict && (flags.int8 || is_onnx(flags.to)))
    throw ValueError("--strict",
                     "keeps the bits of the network; " +
                         std::string(flags.int8 ? "--int8 rounds to 8 bits"
                                                : "how an ONNX model rounds is up to who runs it"));
}

int64_t layers_in_8_bits(const runtime::Graph& graph) {
  return std::count_if(graph.nodes().begin(), graph.nodes().end(), [](const runtime::Node& node) {
    return node.operation->name() == Int8Conv2d::kName || node.operation->name() == Int8Linear::kName;
  });
}

void print_compiled(const CompileFlags& flags, const Compiled& made, const std::string& reason) {
  const runtime::GraphFamily& graphs = made.package.graphs;
  const runtime::Graph& graph = graphs.example();
  const auto bytes = static_cast<int64_t>(std::filesystem::file_size(flags.to));
  if (flags.json) {
    nlohmann::json json = {{"package", flags.to},
                           {"nodes", graph.nodes().size()},
                           {"bytes", bytes},
                           {"free", free_names(graphs)}};
    if (!reason.empty()) json["reason"] = reason;
    if (flags.int8) json["layers_in_8_bits"] = layers_in_8_bits(graph);
    std::cout << json.dump() << '\n';
    return;
  }
  std::cout << flags.to << ": " << graph.nodes().size() << " operations (" << made.captured_nodes
            << " before the passes), " << bytes << " bytes; ";
  if (flags.int8) std::cout << layers_in_8_bits(graph) << " layers in 8 bits; ";
  if (graphs.axes().empty()) {
    std::string shapes;
    for (const runtime::ValueId id : graph.inputs()) {
      shapes +=
          (shapes.empty() ? "" : ", ") + graph.name_of(id) + " " + runtime::type_text(graph.value(id).type);
    }
    std::cout << "for " << shapes << (reason.empty() ? "" : " (" + reason + ")") << '\n';
  } else {
    const std::vector<std::string> names = free_names(graphs);
    std::cout << listing(names) << (names.size() == 1 ? " is free\n" : " are free\n");
  }
}

}  // namespace

Exit compile(const CompileFlags& flags) {
  check_flags(flags);
  const NoGrad no_grad;
  std::string reason;
  const Compiled made = compiled(flags, reason);
  if (is_onnx(flags.to))
    runtime::save_onnx(made.package.graph(), flags.to);
  else
    runtime::save_package(flags.to, made.package.graphs, made.package.notes);
  print_compiled(flags, made, reason);
  return Exit::done;
}

}  // namespace espalier::cli
