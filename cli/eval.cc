#include <iostream>

#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/experiment.h"
#include "cli/model_file.h"
#include "cli/output.h"
#include "core/error.h"
#include "data/loader.h"
#include "report/table.h"
#include "train/classification.h"

namespace espalier::cli {
namespace {

/// What a classifier's outputs say beyond its accuracy.
struct Details {
  explicit Details(int64_t classes) : matrix(classes), top5(std::min<int64_t>(5, classes)) {}

  training::ConfusionMatrix matrix;
  training::TopKAccuracy top5;
  training::Calibration calibration;
};

Details look_closely(const Model& model, const data::DataSet& set) {
  const NoGrad no_grad;
  Details details(model.problem.outputs);
  data::Loader loader(set, {.batch_size = evaluation_batch(model.problem),
                            .shuffle = false,
                            .transforms = preparation(model.recipe, model.problem)});
  for (const data::Examples& batch : loader) {
    const Tensor logits = model.network(batch.inputs);
    details.matrix.add(logits, batch.labels);
    details.top5.add(logits, batch.labels);
    details.calibration.add(logits, batch.labels);
  }
  return details;
}

std::vector<io::Metric> metrics_of(const Details& details) {
  std::vector<io::Metric> metrics = {
      {"errors", std::round((1 - details.matrix.accuracy()) * static_cast<double>(details.matrix.total()))},
      {"macro_f1", details.matrix.macro_f1()},
      {"calibration_error", details.calibration.expected_calibration_error()}};
  if (details.matrix.classes() > 5) metrics.push_back({"top5_accuracy", details.top5.accuracy()});
  return metrics;
}

report::Table class_table(const Details& details, const std::vector<std::string>& names) {
  report::Table table({"class", "examples", "precision", "recall", "F1"});
  const std::vector<int64_t> support = details.matrix.support();
  const std::vector<double> precision = details.matrix.precision(), recall = details.matrix.recall(),
                            f1 = details.matrix.f1();
  for (size_t i = 0; i < names.size(); ++i) {
    table.add_row({names[i], std::to_string(support[i]), report::fixed(precision[i], 4),
                   report::fixed(recall[i], 4), report::fixed(f1[i], 4)});
  }
  return table;
}

}  // namespace

Exit eval(const EvalFlags& flags) {
  if (flags.part != "test" && flags.part != "train")
    throw ValueError("--part", "is '" + flags.part + "'; there are test and train");
  Model model = open_model(flags.model);
  if (!flags.data_path.empty()) model.recipe.path = flags.data_path;
  const Task task = open_task(model.recipe);
  if (task.problem.outputs != model.problem.outputs || task.problem.input != model.problem.input) {
    throw ValueError(flags.model, "takes examples " + to_string(model.problem.input) + " to " +
                                      std::to_string(model.problem.outputs) +
                                      " outputs; the data has examples " + to_string(task.problem.input) +
                                      " and " + std::to_string(task.problem.outputs));
  }
  const auto letters = [](const Problem& problem) {
    return problem.vocabulary ? problem.vocabulary->characters() : std::string();
  };
  if (task.problem.classes != model.problem.classes || letters(task.problem) != letters(model.problem))
    throw ValueError(flags.model, "was trained with other classes or characters than the data has");
  const data::DataSet& set = flags.part == "train" ? task.train : task.test;
  std::vector<io::Metric> metrics = evaluate(model.network, model.recipe, model.problem, set);
  std::optional<Details> details;
  if (model.problem.kind == Problem::Kind::classes) {
    details = look_closely(model, set);
    for (const io::Metric& metric : metrics_of(*details)) metrics.push_back(metric);
  }
  if (!flags.page.empty()) {
    report::Page page("Evaluation of " + flags.model);
    std::vector<report::KeyValue> entries = {{"examples", std::to_string(set.size())}};
    for (const io::Metric& metric : metrics) entries.push_back({metric.name, report::fixed(metric.value, 4)});
    page.key_values(entries);
    if (details) page.table(class_table(*details, model.problem.classes));
    add_results(page, model.network, model.recipe, model.problem, set);
    page.save(flags.page);
  }
  if (flags.json) {
    nlohmann::json json = json_of(metrics);
    json["examples"] = set.size();
    json["model"] = model.file;
    std::cout << json.dump() << '\n';
    return Exit::done;
  }
  report::Table table({model.file, flags.part});
  table.add_row({"examples", std::to_string(set.size())});
  for (const io::Metric& metric : metrics)
    table.add_row({metric.name, report::fixed(metric.value, metric.name == "errors" ? 0 : 4)});
  std::cout << table;
  if (details) std::cout << '\n' << class_table(*details, model.problem.classes);
  return Exit::done;
}

}  // namespace espalier::cli
