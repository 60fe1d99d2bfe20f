#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "cli/problem.h"
#include "data/loader.h"
#include "io/metrics_log.h"
#include "optim/average.h"
#include "optim/optimiser.h"
#include "optim/scheduler.h"
#include "train/trainer.h"

namespace espalier::cli {

/// All that a recipe makes, ready to be trained.
class Experiment {
 public:
  /// Opens the data, seeds the default generator and makes the network. Throws what open_task(),
  /// make_network() and the parts do.
  explicit Experiment(const Recipe& recipe);
  Experiment(const Experiment&) = delete;
  Experiment& operator=(const Experiment&) = delete;

  /// With the data's mean and deviation.
  const Recipe& recipe() const { return recipe_; }
  const Task& task() const { return task_; }
  nn::AnyLayer& network() { return network_; }
  data::Loader& loader() { return *loader_; }

  /// The loss of a batch, with its penalties.
  Tensor loss(const data::Examples& batch);
  /// A step of the optimiser on the next batch, as the trainer would make it in f32.
  void step();
  training::TrainingSummary run(const training::TrainerOptions& options);
  /// The recipe's part of the trainer's options.
  training::TrainerOptions trainer_options() const;

 private:
  Recipe recipe_;
  Task task_;
  nn::AnyLayer network_;
  std::unique_ptr<data::Loader> loader_;
  std::unique_ptr<optim::Optimiser> optimiser_;
  std::unique_ptr<optim::Scheduler> scheduler_;
  std::unique_ptr<optim::WeightAverage> average_;
};

/// The figure of evaluate() that tells the best step, and whether more of it is better.
std::string decisive_metric(const Problem& problem);
bool more_is_better(const Problem& problem);

/// Examples to a batch where nothing is learnt.
int64_t evaluation_batch(const Problem& problem);

/// How well a network in evaluation mode does on a data set: `accuracy` (classes), `test_loss` (all:
/// cross-entropy in nats, or mean squared error), `perplexity` (texts).
std::vector<io::Metric> evaluate(const nn::AnyLayer& network, const Recipe& recipe, const Problem& problem,
                                 const data::DataSet& set);

}  // namespace espalier::cli
