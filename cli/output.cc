#include "cli/output.h"

#include <cmath>

#include <nlohmann/json.hpp>

#include "cli/experiment.h"
#include "train/classification.h"
#include "train/training_page.h"

namespace espalier::cli {

Recipe apply(const RecipeFlags& flags, Recipe recipe) {
  if (!flags.file.empty()) read_recipe(recipe, flags.file);
  for (const auto& [name, text] : flags.keys) set(recipe, name, text, "--" + name);
  return recipe;
}

nlohmann::json number(double value) {
  return std::isfinite(value) ? nlohmann::json(value) : nlohmann::json();
}

nlohmann::json json_of(std::span<const io::Metric> metrics) {
  nlohmann::json json = nlohmann::json::object();
  for (const io::Metric& metric : metrics) json[metric.name] = number(metric.value);
  return json;
}

void add_results(report::Page& page, const nn::AnyLayer& network, const Recipe& recipe,
                 const Problem& problem, const data::DataSet& set) {
  constexpr int64_t kMostClasses = 40;  // that a figure has room for
  if (problem.kind != Problem::Kind::classes) return;
  const NoGrad no_grad;
  page.heading("Mistakes");
  if (problem.outputs <= kMostClasses) {
    training::ConfusionMatrix matrix(problem.outputs);
    data::Loader loader(set, {.batch_size = evaluation_batch(problem),
                              .shuffle = false,
                              .transforms = preparation(recipe, problem)});
    for (const data::Examples& batch : loader) matrix.add(network(batch.inputs), batch.labels);
    page.figure(report::confusion_matrix(matrix.counts(), problem.classes, "Test examples"));
  }
  const bool images = problem.input.rank() == 3 && (problem.input[0] == 1 || problem.input[0] == 3);
  if (!images || recipe.data == "arrays") return;  // arrays may hold anything
  training::add_mistakes(page, set, problem.classes, [&](const data::Examples& batch) {
    return network(prepare(recipe, problem, batch).inputs);
  });
}

}  // namespace espalier::cli
