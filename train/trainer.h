#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "data/loader.h"
#include "io/checkpoint_folder.h"
#include "io/metrics_log.h"
#include "io/read_metrics.h"
#include "optim/average.h"
#include "optim/scheduler.h"
#include "train/early_stopping.h"
#include "train/run_state.h"

namespace espalier::training {

struct TrainerOptions {
  int64_t epochs = 0;  ///< either so many epochs in all,
  int64_t steps = 0;   ///< or so many steps of the optimiser
  int64_t accumulate =
      1;                 ///< batches whose gradients are averaged for a step; an epoch's last may have fewer
  double clip_norm = 0;  ///< bound on the gradients' total norm; 0 for none
  /// Losses compute in bf16 or f16 where that is safe (ops/autocast.h), with f16 under a loss scale: steps
  /// whose gradients overflow leave the weights as they are. Evaluations compute in f32.
  std::optional<Dtype> precision = {};
  int64_t evaluate_every = 0;  ///< steps from one evaluation to the next; 0: at the end of each epoch
  int64_t log_every = 50;      ///< steps from one row of metrics to the next; evaluations make rows as well
  std::string metric = {};     ///< the evaluation's figure that tells the best step
  bool maximise = false;       ///< whether a larger one is better
  std::optional<int64_t> patience =
      {};                             ///< stop after more evaluations than this without progress of `metric`
  std::filesystem::path folder = {};  ///< where checkpoints and metrics.jsonl go; empty: nothing is saved
  int64_t checkpoint_every = 0;       ///< steps; 0: after each evaluation
  int64_t keep_last = 2, keep_best = 1;  ///< checkpoints
  bool resume = false;                   ///< go on from the folder's last checkpoint, if there is one
  /// Also a file for TensorBoard in the folder (io/event_file.h): the metrics as curves, the notes as text,
  /// and at evaluations the parameters' distributions.
  bool tensorboard = false;
  bool progress = true;                           ///< a line on standard error
  std::map<std::string, std::string> notes = {};  ///< go into checkpoints: the recipe
};

struct PhaseTime {
  std::string name;
  double seconds;
};

/// What became of a run.
struct TrainingSummary {
  int64_t steps = 0;           ///< made in all, those before a resume included
  int64_t epochs = 0;          ///< completed
  double seconds = 0;          ///< of this program's part
  bool interrupted = false;    ///< ended by a signal (train/interrupt.h); it can be resumed
  bool stopped_early = false;  ///< for lack of progress
  int64_t overflows = 0;       ///< steps whose f16 gradients were not finite
  double loss = 0;             ///< mean training loss of the steps between the last two rows of metrics
  std::vector<io::Metric> evaluation;  ///< the last one
  std::optional<double> best;          ///< of the metric
  int64_t best_step = 0;
  /// The rows of metrics, those before a resume included, and where this program's time went (of steps under
  /// 0.2 ms one in 8 is timed after the first 1,000): for train/training_page.h.
  std::vector<io::MetricsRow> history;
  std::vector<PhaseTime> phases;
};
ESPALIER_API std::ostream& operator<<(std::ostream& out, const TrainingSummary& summary);

/// A training loop with what goes around one: evaluation, gradient accumulation, clipping, schedules,
/// averages, early stopping, checkpoints, resuming, metrics, progress. Each of these is a class that a loop
/// written by hand can use as well; there is nothing here that has to be derived from.
///
///   training::Trainer trainer(net, sgd, loader, [&](const data::Examples& batch) {
///     return cross_entropy(net(batch.inputs), batch.labels);
///   });
///   trainer.with(scheduler).evaluate([&] { return std::vector<io::Metric>{{"accuracy", accuracy(net)}}; });
///   std::cout << trainer.run({.epochs = 10, .metric = "accuracy", .maximise = true, .folder =
///   "runs/first"});
///
/// A run that is killed at any moment and resumed ends with the same bits as one that is not, given that loss
/// and evaluation draw random numbers from the default generator alone (and the same number of threads).
/// Ctrl-C lets the step end, saves and returns. One thread at a time may use it; what is given to it must
/// outlive it.
class ESPALIER_API Trainer {
 public:
  using Loss = std::function<Tensor(const data::Examples& batch)>;
  using Evaluation = std::function<std::vector<io::Metric>()>;

  /// `loss` gives the mean loss of a batch, a tensor without axes.
  template <nn::Visitable M>
  Trainer(M& model, optim::Optimiser& optimiser, data::Loader& loader, Loss loss)
      : Trainer([&model](bool training) { training ? nn::train(model) : nn::eval(model); }, optimiser, loader,
                std::move(loss)) {
    state_.add("model", model);
  }

  /// Steps the schedule after each step of the optimiser.
  Trainer& with(optim::Scheduler& scheduler);
  /// Updates the average after each step; evaluations are of the average.
  Trainer& with(optim::WeightAverage& average);
  /// Is called with the model in evaluation mode and without recording.
  Trainer& evaluate(Evaluation evaluation);
  /// Something else whose state belongs into checkpoints.
  template <class T>
  Trainer& keep(const std::string& part, T& object) {
    state_.add(part, object);
    return *this;
  }

  /// Throws ValueError for options that make no sense, TypeError for a precision other than bf16 and f16,
  /// ValueError for a folder with checkpoints that is not to be resumed, and a checkpoint of another model or
  /// run; NumericError where the loss is not finite; what loss, evaluation, loader and files throw. What was
  /// saved so far stays.
  TrainingSummary run(const TrainerOptions& options);

 private:
  class Run;

  Trainer(std::function<void(bool)> set_training, optim::Optimiser& optimiser, data::Loader& loader,
          Loss loss);

  std::function<void(bool)> set_training_;
  optim::Optimiser& optimiser_;
  data::Loader& loader_;
  Loss loss_;
  Evaluation evaluation_;
  optim::Scheduler* scheduler_ = nullptr;
  optim::WeightAverage* average_ = nullptr;
  RunState state_;
};

}  // namespace espalier::training
