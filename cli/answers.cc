#include "cli/answers.h"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <utility>
#include <vector>

#include "cli/output.h"
#include "core/error.h"
#include "data/image_channels.h"
#include "data/resize.h"
#include "io/image.h"
#include "io/npy.h"
#include "ops/cast.h"
#include "ops/multiply.h"
#include "ops/reshape.h"
#include "ops/softmax.h"

namespace espalier::cli {
namespace {

Tensor read_image(const Recipe& recipe, const Problem& problem, const std::string& file) {
  const Shape& wanted = problem.input;
  if (wanted.rank() != 3 || (wanted[0] != 1 && wanted[0] != 3))
    throw ValueError(file, "is an image; the model takes " + to_string(wanted));
  const Tensor image =
      data::resize(data::with_channels(io::read_image(file), wanted[0]), wanted[1], wanted[2]);
  // The embedded digits are the one set of images that are f32, from 0 to 1, ink on paper being 1.
  return recipe.data == "digits" ? cast(image, Dtype::f32) * (1.0 / 255) : image;
}

}  // namespace

Tensor read_inputs(const Recipe& recipe, const Problem& problem, const std::string& file) {
  if (std::filesystem::path(file).extension() != ".npy")
    return unsqueeze(read_image(recipe, problem, file), 0);
  const Tensor array = io::load_npy(file);
  Shape one = array.shape();
  if (one.rank() == problem.input.rank() + 1) one.erase(0);
  if (one != problem.input || array.numel() == 0) {
    throw ShapeError(file, "holds " + describe(array) + "; the model takes " + to_string(problem.input) +
                               ", or several of them");
  }
  const Tensor numbers = array.dtype() == Dtype::u8 ? array : cast(array, Dtype::f32);
  return array.rank() == problem.input.rank() ? unsqueeze(numbers, 0) : numbers;
}

Answers::Answers(const Problem& problem, int64_t top)
    : problem_(problem),
      top_(std::max<int64_t>(top, 1)),
      table_(problem.kind == Problem::Kind::classes
                 ? std::vector<std::string>{"input", "class", "probability"}
                 : std::vector<std::string>{"input", "values"}),
      results_(nlohmann::json::array()) {}

void Answers::add(const std::string& file, const Tensor& outputs) {
  const bool classes = problem_.kind == Problem::Kind::classes;
  const Tensor wanted = classes ? softmax(outputs, -1) : outputs;
  const std::vector<double> numbers = cast(wanted, Dtype::f64).to_vector<double>();
  const auto width = static_cast<size_t>(problem_.outputs);
  for (size_t row = 0; row * width < numbers.size(); ++row) {
    const std::string name = outputs.size(0) > 1 ? file + "[" + std::to_string(row) + "]" : file;
    const std::span<const double> one = std::span(numbers).subspan(row * width, width);
    nlohmann::json result = {{"input", name}};
    if (classes)
      add_classes(name, one, result);
    else
      add_values(name, one, result);
    results_.push_back(std::move(result));
  }
}

void Answers::add_classes(const std::string& name, std::span<const double> scores, nlohmann::json& result) {
  std::vector<std::pair<std::string, double>> all;
  for (size_t i = 0; i < scores.size(); ++i) all.emplace_back(problem_.classes[i], scores[i]);
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  all.resize(std::min(all.size(), static_cast<size_t>(top_)));
  for (const auto& [label, probability] : all) {
    table_.add_row({name, label, report::fixed(probability, 4)});
    result["classes"].push_back({{"class", label}, {"probability", number(probability)}});
  }
}

void Answers::add_values(const std::string& name, std::span<const double> values, nlohmann::json& result) {
  std::string text;
  for (const double value : values) {
    text += (text.empty() ? "" : "  ") + report::fixed(value, 6);
    result["values"].push_back(number(value));
  }
  table_.add_row({name, text});
}

void Answers::print(bool json) const {
  if (json)
    std::cout << results_.dump() << '\n';
  else
    std::cout << table_;
}

}  // namespace espalier::cli
