#include <algorithm>
#include <filesystem>
#include <iostream>
#include <utility>

#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/model_file.h"
#include "cli/output.h"
#include "core/error.h"
#include "data/image_channels.h"
#include "data/resize.h"
#include "data/text.h"
#include "io/image.h"
#include "io/npy.h"
#include "models/generate.h"
#include "ops/cast.h"
#include "ops/multiply.h"
#include "ops/reshape.h"
#include "ops/softmax.h"
#include "report/table.h"

namespace espalier::cli {
namespace {

/// An image of the model's channels and size, in the type that its data has.
Tensor image_for(const Model& model, const std::string& file) {
  const Shape& wanted = model.problem.input;
  if (wanted.rank() != 3 || (wanted[0] != 1 && wanted[0] != 3))
    throw ValueError(file, "is an image; the model takes " + to_string(wanted));
  const Tensor image =
      data::resize(data::with_channels(io::read_image(file), wanted[0]), wanted[1], wanted[2]);
  // The embedded digits are the one set of images that are f32, from 0 to 1, ink on paper being 1.
  return model.recipe.data == "digits" ? cast(image, Dtype::f32) * (1.0 / 255) : image;
}

/// The examples of a file, [N, ...].
Tensor inputs_from(const Model& model, const std::string& file) {
  if (std::filesystem::path(file).extension() != ".npy") return unsqueeze(image_for(model, file), 0);
  const Tensor array = io::load_npy(file);
  Shape one = array.shape();
  if (one.rank() == model.problem.input.rank() + 1) one.erase(0);
  if (one != model.problem.input || array.numel() == 0) {
    throw ShapeError(file, "holds " + describe(array) + "; the model takes " +
                               to_string(model.problem.input) + ", or several of them");
  }
  const Tensor numbers = array.dtype() == Dtype::u8 ? array : cast(array, Dtype::f32);
  return array.rank() == model.problem.input.rank() ? unsqueeze(numbers, 0) : numbers;
}

/// Classes with their probabilities, the most probable first.
std::vector<std::pair<std::string, double>> ranked(const std::vector<double>& probabilities,
                                                   const Model& model, int64_t top) {
  std::vector<std::pair<std::string, double>> all;
  for (size_t i = 0; i < probabilities.size(); ++i)
    all.emplace_back(model.problem.classes[i], probabilities[i]);
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  all.resize(std::min(all.size(), static_cast<size_t>(std::max<int64_t>(top, 1))));
  return all;
}

Exit continue_text(const Model& model, const PredictFlags& flags) {
  if (flags.inputs.size() > 1)
    throw ValueError("predict", "a text model goes on from one text file at a time");
  std::string prompt = flags.inputs.empty() ? flags.prompt : data::read_text(flags.inputs[0]) + flags.prompt;
  if (!model.problem.vocabulary) throw FormatError(model.file, "is a text model without a vocabulary");
  const io::Vocabulary& vocabulary = *model.problem.vocabulary;
  const bool unprompted = prompt.empty();
  // Without a beginning, the text begins as one behind a line's end does or, where there is no such
  // character, the first.
  const Tensor start = !unprompted                                               ? vocabulary.encode(prompt)
                       : vocabulary.characters().find('\n') != std::string::npos ? vocabulary.encode("\n")
                                                                                 : zeros({1}, Dtype::i64);
  const Tensor tokens = models::generate(model.network, model.problem.input[0], start, flags.count,
                                         flags.sampling, static_cast<uint64_t>(flags.seed));
  std::vector<int64_t> ids = tokens.to_vector<int64_t>();
  if (unprompted) ids.erase(ids.begin());
  const std::string text = vocabulary.decode(ids);
  if (flags.json)
    std::cout << nlohmann::json{{"text", text}}.dump() << '\n';
  else
    std::cout << text << '\n';
  return Exit::done;
}

}  // namespace

Exit predict(const PredictFlags& flags) {
  const Model model = open_model(flags.model);
  if (model.problem.kind == Problem::Kind::text) return continue_text(model, flags);
  if (flags.inputs.empty()) throw ValueError("predict", "expected files to read: images, or arrays in .npy");

  const NoGrad no_grad;
  const bool classes = model.problem.kind == Problem::Kind::classes;
  nlohmann::json results = nlohmann::json::array();
  report::Table table(classes ? std::vector<std::string>{"input", "class", "probability"}
                              : std::vector<std::string>{"input", "values"});
  for (const std::string& file : flags.inputs) {
    const Tensor inputs = inputs_from(model, file);
    Tensor outputs = model.network(prepare(model.recipe, model.problem, {inputs, {}}).inputs);
    if (classes) outputs = softmax(outputs, -1);
    const std::vector<double> numbers = cast(outputs, Dtype::f64).to_vector<double>();
    const auto width = static_cast<size_t>(model.problem.outputs);
    for (size_t row = 0; row * width < numbers.size(); ++row) {
      const std::string name = inputs.size(0) > 1 ? file + "[" + std::to_string(row) + "]" : file;
      const std::vector<double> one(numbers.begin() + static_cast<std::ptrdiff_t>(row * width),
                                    numbers.begin() + static_cast<std::ptrdiff_t>((row + 1) * width));
      nlohmann::json result = {{"input", name}};
      if (classes) {
        for (const auto& [label, probability] : ranked(one, model, flags.top)) {
          table.add_row({name, label, report::fixed(probability, 4)});
          result["classes"].push_back({{"class", label}, {"probability", number(probability)}});
        }
      } else {
        std::string text;
        for (const double value : one) {
          text += (text.empty() ? "" : "  ") + report::fixed(value, 6);
          result["values"].push_back(number(value));
        }
        table.add_row({name, text});
      }
      results.push_back(std::move(result));
    }
  }
  if (flags.json)
    std::cout << results.dump() << '\n';
  else
    std::cout << table;
  return Exit::done;
}

}  // namespace espalier::cli
