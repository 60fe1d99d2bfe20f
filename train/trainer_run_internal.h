#pragma once

#include <array>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "optim/loss_scaler.h"
#include "report/page.h"
#include "report/progress.h"
#include "train/averages.h"
#include "train/interrupt.h"
#include "train/run_events_internal.h"
#include "train/trainer.h"

namespace espalier::training {

/// A metric as people read it: `0.9812`, `146`.
std::string metric_text(double value);

/// What a summary says, in words.
std::vector<report::KeyValue> entries_of(const TrainingSummary& summary);

/// What a step's time goes to.
enum class Phase : uint8_t { data, forward, backward, update, evaluation, saving };
inline constexpr std::array kPhaseNames = {"data", "forward", "backward", "update", "evaluation", "saving"};

/// Adds up the time of each phase.
class PhaseClock {
 public:
  /// What passed since the last call, or since the beginning, was `phase`'s.
  void end_of(Phase phase) {
    const Clock::time_point now = Clock::now();
    seconds_[static_cast<size_t>(phase)] += std::chrono::duration<double>(now - last_).count();
    last_ = now;
  }
  std::vector<PhaseTime> times() const {
    std::vector<PhaseTime> times;
    for (size_t i = 0; i < seconds_.size(); ++i) times.push_back({kPhaseNames[i], seconds_[i]});
    return times;
  }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point last_ = Clock::now();
  std::array<double, kPhaseNames.size()> seconds_{};
};

/// One call of Trainer::run().
class Trainer::Run {
 public:
  Run(Trainer& trainer, const TrainerOptions& options);
  TrainingSummary operator()();

  /// What a checkpoint holds of the run itself.
  nn::StateMap state() const;
  void load_state(const nn::StateMap& state);

 private:
  int64_t epochs_done() const;
  bool finished() const;
  int64_t total_steps() const;
  void open_folder();
  void train(const Interrupt& interrupt);
  void train_step();
  /// The gradients of a batch's loss, of which there are `batches` in the step.
  void add_gradients(const data::Examples& batch, int64_t batches);
  void update_weights();
  void evaluate();
  void write_row();
  void flush();
  void save();
  std::string note() const;

  Trainer& trainer_;
  const TrainerOptions& options_;
  RunState parts_;  ///< the trainer's, and this
  EarlyStopping stopping_;
  std::optional<optim::LossScaler> scaler_;  ///< with f16

  int64_t step_ = 0;
  double loss_sum_ = 0;  ///< of the steps since the last row
  int64_t loss_count_ = 0;
  double shown_loss_ = 0;  ///< the mean of the last row
  int64_t best_step_ = 0;
  double gradient_norm_ = 0;
  std::vector<io::Metric> evaluation_;  ///< the last one
  bool evaluated_ = false;              ///< at this very step
  int64_t saved_step_ = -1;

  std::unique_ptr<io::CheckpointFolder> folder_;
  std::unique_ptr<io::MetricsLog> log_;
  std::unique_ptr<RunEvents> events_;
  std::unique_ptr<report::Progress> progress_;
  MovingAverage displayed_;
  std::vector<io::MetricsRow> history_;
  PhaseClock clock_;
};

}  // namespace espalier::training
