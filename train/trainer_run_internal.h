#pragma once

#include <array>
#include <chrono>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
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

/// Adds up the time of each phase. Reading the clock takes some 35 ns, five times a step: too much beside
/// steps of 20 us, so that after the first ones, one of several short steps is timed. The time since the one
/// before is then shared out as this one's is.
class PhaseClock {
 public:
  void begin_step() {
    timed_ = ++steps_ >= stride_;
    if (timed_) begin();
  }
  /// What passed of the step since the last call was `phase`'s.
  void part(Phase phase) {
    if (timed_) of(parts_, phase) += lap();
  }
  void end_step() {
    if (!timed_) return;
    const double step = std::accumulate(parts_.begin(), parts_.end(), 0.0);
    const double share = steps_ > 1 && step > 0 ? 1 + untimed_ / step : 1;
    for (size_t i = 0; i < parts_.size(); ++i) seconds_[i] += share * parts_[i];
    parts_ = {};
    untimed_ = 0;
    steps_ = 0;
    stride_ = step < kBrief && ++timed_steps_ > kTimedAtFirst ? kStride : 1;
  }

  /// Something begins.
  void begin() { untimed_ += lap(); }
  /// It ends, between two steps, and was `phase`.
  void end_of(Phase phase) { of(seconds_, phase) += lap(); }

  std::vector<PhaseTime> times() const {
    std::vector<PhaseTime> times;
    for (size_t i = 0; i < seconds_.size(); ++i) times.push_back({kPhaseNames[i], seconds_[i]});
    return times;
  }

 private:
  using Clock = std::chrono::steady_clock;
  using Seconds = std::array<double, kPhaseNames.size()>;
  static constexpr int64_t kStride = 8, kTimedAtFirst = 1000;
  static constexpr double kBrief = 200e-6;  // seconds; 0.1 % for reading the clock

  static double& of(Seconds& seconds, Phase phase) { return seconds[static_cast<size_t>(phase)]; }
  /// Seconds since the last call.
  double lap() {
    const Clock::time_point now = Clock::now();
    return std::chrono::duration<double>(now - std::exchange(last_, now)).count();
  }

  Clock::time_point last_ = Clock::now();
  double untimed_ = 0;              ///< what passed since the last timed step and is no phase's yet
  int64_t steps_ = 0, stride_ = 1;  ///< since then, and how many there are to be
  int64_t timed_steps_ = 0;
  bool timed_ = false;
  Seconds parts_{}, seconds_{};  ///< of this step, and in all
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
