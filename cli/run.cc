// The command run: asks a package.

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <vector>

#include "cli/answers.h"
#include "cli/commands.h"
#include "cli/package_file.h"
#include "core/create.h"
#include "core/error.h"
#include "ops/concat.h"
#include "ops/copy.h"
#include "ops/slice.h"
#include "runtime/package.h"

namespace espalier::cli {
namespace {

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

/// Whether a graph takes a batch of inputs, and puts out a row for each.
bool fits(const runtime::Graph& graph, const Problem& problem) {
  if (graph.inputs().size() != 1 || graph.outputs().size() != 1) return false;
  const Tensor &input = graph.value(graph.inputs()[0]).type, &output = graph.value(graph.outputs()[0]).type;
  return input.rank() == problem.input.rank() + 1 && input.size(0) >= 1 &&
         input.shape() == batch_shape(problem, input.size(0)) && input.dtype() == Dtype::f32 &&
         output.shape() == Shape{input.size(0), problem.outputs};
}

/// A package that can be asked.
class Opened {
 public:
  explicit Opened(const RunFlags& flags) : Opened(flags, read_package(flags.package)) {}

  const Recipe& recipe() const { return recipe_; }
  const Problem& problem() const { return problem_; }
  const PackageRunner& runner() const { return runner_; }

  /// The outputs for any number of examples, in batches; the last one is as large as it comes out where the
  /// package takes that, and is else filled up with zeros.
  Tensor answers_for(const Tensor& examples) {
    std::vector<Tensor> parts;
    const int64_t count = examples.size(0);
    for (int64_t first = 0; first < count; first += batch_)
      parts.push_back(batch_of(slice(examples, 0, {first, std::min(first + batch_, count)})));
    return concat(parts, 0);
  }

 private:
  Opened(const RunFlags& flags, const runtime::Package& package)
      : file_(flags.package),
        runner_(package.graphs, flags.kernels, equality(flags.strict)),
        is_free_(free_batch(package.graphs).has_value()) {
    read_notes(package.notes, file_, recipe_, problem_);
    if (problem_.kind == Problem::Kind::text)
      throw ValueError("run", file_ + " is a text model, with which 'espalier predict' goes on");
    if (!fits(package.graph(), problem_)) refuse();
    const int64_t size = package.graph().value(package.graph().inputs()[0]).type.size(0);
    if (!is_free_ && flags.batch && *flags.batch != size)
      throw ValueError("--batch", "is " + std::to_string(*flags.batch) + "; " + file_ + " takes batches of " +
                                      std::to_string(size) + " only");
    batch_ = is_free_ ? flags.batch.value_or(kBatch) : size;
  }

  [[noreturn]] void refuse() const {
    throw FormatError(file_, "holds a graph that does not fit the problem that it names");
  }

  Tensor batch_of(Tensor part) {
    const int64_t taken = part.size(0), missing = is_free_ ? 0 : batch_ - taken;
    if (missing > 0) part = concat(std::vector{part, zeros(batch_shape(problem_, missing))}, 0);
    const Tensor inputs[] = {contiguous(part)};
    const Tensor answers = runner_.graphs().run(inputs)[0];
    if (answers.shape() != Shape{taken + missing, problem_.outputs}) refuse();
    return slice(answers, 0, {0, taken});
  }

  // Above 8 an image of ResNet-20 takes no less time, and a run more memory: 5 MB for 32, 18 MB for 128
  // ('espalier explain --batch').
  static constexpr int64_t kBatch = 32;

  std::string file_;
  Recipe recipe_;
  Problem problem_;
  PackageRunner runner_;
  bool is_free_;
  int64_t batch_ = 0;
};

}  // namespace

Exit run_package(const RunFlags& flags) {
  check_batch(flags.batch);
  Opened package(flags);
  if (flags.inputs.empty())
    throw ValueError("run", "expected files to read: images, arrays in .npy, or folders of them");
  Answers answers(package.problem(), flags.top);
  for (const std::string& name : flags.inputs) {
    for (const std::string& file : files_of(name)) {
      const Tensor inputs = read_inputs(package.recipe(), package.problem(), file);
      answers.add(file, package.answers_for(as_input(inputs)));
    }
  }
  package.runner().save_choices();
  answers.print(flags.json);
  return Exit::done;
}

}  // namespace espalier::cli
