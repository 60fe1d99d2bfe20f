#include "cli/onnx_file.h"

#include <filesystem>
#include <optional>
#include <sstream>

#include "cli/package_file.h"
#include "cli/problem.h"
#include "core/error.h"
#include "runtime/onnx.h"

namespace espalier::cli {
namespace {

std::vector<std::string> names_in(const std::string& list) {
  std::vector<std::string> names;
  std::istringstream rest(list);
  for (std::string name; std::getline(rest, name, ',');) names.push_back(name);
  return names;
}

/// What a graph makes rows of numbers of; nothing where it does something else.
std::optional<Problem> problem_of(const runtime::Graph& graph) {
  if (graph.inputs().size() != 1 || graph.outputs().size() != 1) return {};
  const Tensor &input = graph.value(graph.inputs()[0]).type, &output = graph.value(graph.outputs()[0]).type;
  if (input.rank() < 2 || input.numel() == 0 || input.dtype() != Dtype::f32) return {};
  if (output.rank() != 2 || output.numel() == 0 || output.size(0) != input.size(0) ||
      !is_floating(output.dtype()))
    return {};
  Problem problem{.kind = Problem::Kind::values, .input = input.shape()};
  problem.input.erase(0);
  problem.outputs = output.size(1);
  return problem;
}

}  // namespace

bool is_onnx(const std::string& file) {
  return std::filesystem::path(file).extension() == ".onnx";
}

runtime::Package open_onnx(const CompileFlags& flags, std::optional<int64_t> batch) {
  const runtime::OnnxOptions options{.sizes = sizes_of(flags.sizes), .batch = batch};
  runtime::Package file{.graphs = batch ? runtime::load_onnx(flags.model, options)
                                        : runtime::load_onnx_family(flags.model, options),
                        .notes = {}};
  std::optional<Problem> problem = problem_of(file.graph());
  if (!flags.classes.empty()) {
    const std::vector<std::string> classes = names_in(flags.classes);
    if (!problem || problem->outputs != static_cast<int64_t>(classes.size())) {
      throw ValueError("--classes", "names " + std::to_string(classes.size()) +
                                        " classes; the model puts out " +
                                        (problem ? std::to_string(problem->outputs) + " numbers for an input"
                                                 : std::string("no numbers for each of its inputs")));
    }
    problem->kind = Problem::Kind::classes;
    problem->classes = classes;
  }
  if (problem) file.notes = notes(*problem);
  return file;
}

}  // namespace espalier::cli
