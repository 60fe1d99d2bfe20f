#include "cli/package_file.h"

#include <charconv>
#include <utility>

#include "core/error.h"
#include "ops/cast.h"
#include "ops/multiply.h"

namespace espalier::cli {

runtime::Sizes sizes_of(std::span<const std::string> texts) {
  runtime::Sizes sizes;
  for (const std::string& text : texts) {
    const size_t equals = text.rfind('=');
    int64_t size = 0;
    const char* const end = text.data() + text.size();
    const auto parsed =
        std::from_chars(text.data() + (equals == text.npos ? text.size() : equals + 1), end, size);
    if (parsed.ec != std::errc() || parsed.ptr != end || size < 0)
      throw ValueError("--size", "is '" + text + "'; expected the name of an axis and its size, NAME=WHOLE");
    sizes[text.substr(0, equals)] = size;
  }
  return sizes;
}

runtime::Package read_package(const std::string& file) {
  if (file.empty()) throw ValueError("command", "expected a package, which 'espalier compile' writes");
  return runtime::load_package(file);
}

runtime::Equality equality(bool strict) {
  return strict ? runtime::Equality::strict : runtime::Equality::rounded;
}

void check_batch(const std::optional<int64_t>& batch) {
  constexpr int64_t kMostExamples = 1 << 20;
  if (batch && (*batch < 1 || *batch > kMostExamples)) {
    throw ValueError("--batch", "is " + std::to_string(*batch) + "; expected a whole number from 1 to " +
                                    std::to_string(kMostExamples));
  }
}

std::vector<std::string> free_names(const runtime::GraphFamily& graphs) {
  std::vector<std::string> names;
  for (const auto& [name, size] : graphs.example_sizes()) names.push_back(name);
  return names;
}

std::optional<std::string> free_batch(const runtime::GraphFamily& graphs) {
  for (const runtime::FreeAxis& axis : graphs.axes()) {
    if (axis.input == 0 && axis.axis == 0) return axis.name;
  }
  return {};
}

Shape batch_shape(const Problem& problem, int64_t batch) {
  Shape shape = problem.input;
  shape.insert(0, batch);
  return shape;
}

Tensor as_input(const Tensor& inputs) {
  return inputs.dtype() == Dtype::u8 ? cast(inputs, Dtype::f32) * (1.0 / 255) : inputs;
}

PackageRunner::PackageRunner(runtime::GraphFamily graphs, const std::string& kernels,
                             runtime::Equality equality)
    : kernels_(kernels), graphs_(std::move(graphs), {.equality = equality}) {
  if (kernels.empty()) return;
  if (equality == runtime::Equality::strict)
    throw ValueError("--kernels",
                     "chooses kernels by their times; with --strict they are those of plain code");
  choices_ = std::make_unique<runtime::KernelChoices>(runtime::KernelChoices::load(kernels));
  known_ = choices_->problems().size();
  graphs_.choose_kernels_by(choices_.get());
}

void PackageRunner::save_choices() const {
  if (choices_ && choices_->problems().size() > known_) choices_->save(kernels_);
}

}  // namespace espalier::cli
