#include <iostream>
#include <map>
#include <set>
#include <string>

#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/experiment.h"
#include "cli/model_file.h"
#include "cli/output.h"
#include "core/error.h"
#include "io/checkpoint.h"
#include "train/training_page.h"

namespace espalier::cli {
namespace {

/// The recipe of the run that is gone on with, or the standard one; then the file's, then the flags'.
Recipe recipe_to_train(const TrainFlags& flags) {
  Recipe recipe;
  if (flags.resume) {
    const std::filesystem::path last = last_checkpoint(flags.folder);
    if (!last.empty()) {
      Problem unused;
      read_notes(io::load_checkpoint_manifest(last).notes, last.string(), recipe, unused);
    }
  }
  return apply(flags.recipe, recipe);
}

nlohmann::json result_of(const training::TrainingSummary& summary, const TrainFlags& flags) {
  nlohmann::json json = {{"steps", summary.steps},
                         {"epochs", summary.epochs},
                         {"seconds", summary.seconds},
                         {"train_loss", number(summary.loss)},
                         {"interrupted", summary.interrupted},
                         {"stopped_early", summary.stopped_early},
                         {"evaluation", json_of(summary.evaluation)}};
  if (summary.best) {
    json["best"] = number(*summary.best);
    json["best_step"] = summary.best_step;
  }
  if (!flags.folder.empty()) json["folder"] = flags.folder;
  return json;
}

/// What makes the run what it is: keys that are not as they are by default, and a few that readers look for.
std::map<std::string, std::string> telling(const Recipe& recipe) {
  const std::set<std::string> always = {"data",
                                        "model",
                                        "optimiser",
                                        "learning_rate",
                                        "batch_size",
                                        "seed",
                                        recipe.steps > 0 ? "steps" : "epochs"};
  const std::map<std::string, std::string> standard = notes(Recipe());
  std::map<std::string, std::string> result;
  for (const auto& [name, text] : notes(recipe)) {
    if (always.contains(name) || text != standard.at(name)) result[name] = text;
  }
  return result;
}

void write_page(const std::filesystem::path& path, Experiment& experiment,
                const training::TrainingSummary& summary) {
  const Recipe& recipe = experiment.recipe();
  const bool named = recipe.model.find_first_of(" ,") == std::string::npos;
  report::Page page = training::training_page(
      "Training " + (named ? recipe.model : "a network") + " on " + recipe.data, summary, telling(recipe));
  nn::eval(experiment.network());
  add_results(page, experiment.network(), recipe, experiment.task().problem, experiment.task().test);
  page.save(path);
}

}  // namespace

Exit train(const TrainFlags& flags) {
  if (flags.folder.empty() && (flags.resume || flags.tensorboard))
    throw ValueError(flags.resume ? "--resume" : "--tensorboard", "needs a --folder");
  Experiment experiment(recipe_to_train(flags));
  training::TrainerOptions options = experiment.trainer_options();
  options.folder = flags.folder;
  options.resume = flags.resume;
  options.tensorboard = flags.tensorboard;
  options.progress = !flags.quiet;
  const training::TrainingSummary summary = experiment.run(options);

  const std::filesystem::path folder = flags.folder;
  if (!folder.empty()) {
    save_best(folder, options.metric, options.maximise);
    write_page(folder / "report.html", experiment, summary);
  }
  if (!flags.page.empty()) write_page(flags.page, experiment, summary);
  if (flags.json)
    std::cout << result_of(summary, flags).dump() << '\n';
  else
    std::cout << summary;
  if (!summary.interrupted) return Exit::done;
  if (!folder.empty() && !flags.quiet)
    std::cerr << "espalier: interrupted; 'espalier train --resume --folder " << flags.folder << "' goes on\n";
  return Exit::interrupted;
}

}  // namespace espalier::cli
