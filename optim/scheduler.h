#pragma once

#include <optional>

#include "optim/optimiser.h"
#include "optim/schedule.h"

namespace espalier::optim {

/// Sets the learning rates of an optimiser's groups, step by step: each group's is what it was when the
/// scheduler was made, times the schedule's factor. The optimiser must outlive it. One thread at a time may
/// use it.
///
///   optim::AdamW adamw(model, {.learning_rate = 3e-4});
///   optim::Scheduler scheduler(adamw, optim::warm_up(100) * optim::cosine(10000));
///   for (...) { ... adamw.step(); scheduler.step(); }
class ESPALIER_API Scheduler {
 public:
  /// Sets the rates of step 0. `momentum` gives momenta, not factors, for every group that has one (the other
  /// half of one_cycle()). Throws ValueError where there is a `momentum` and no group has one, and for values
  /// that the optimiser refuses.
  Scheduler(Optimiser& optimiser, Schedule rate, std::optional<Schedule> momentum = {});

  /// Counts a step and sets its rates.
  void step();
  /// The steps made.
  int64_t steps() const;

  /// `step` and `initial_learning_rates`, one for each group. The tensors are the scheduler's own.
  nn::StateMap state();
  /// Copies the values of `state` into the scheduler and sets the optimiser's rates to match. Throws
  /// ValueError as nn::load_state() does, and for a negative step or rates that are none; then all is as it
  /// was.
  void load_state(const nn::StateMap& state);
  void visit(nn::Visitor& visitor);

 private:
  void apply();

  Optimiser& optimiser_;
  Schedule rate_;
  std::optional<Schedule> momentum_;
  Tensor initial_;  ///< f64, one for each group
  Tensor step_;     ///< i64
};

struct PlateauOptions {
  bool maximise = false;    ///< whether a larger metric is a better one
  double factor = 0.1;      ///< what the rates are multiplied with
  int64_t patience = 10;    ///< steps without progress that are put up with
  double threshold = 1e-4;  ///< how much better a metric must be to count
  bool absolute = false;    ///< the threshold is a difference; otherwise a share of the best metric
  int64_t cooldown = 0;     ///< steps after a reduction that do not count
  double minimum_rate = 0;
  double epsilon = 1e-8;  ///< a rate that would change by no more than this stays
};

/// Reduces the learning rates of all groups when a metric stops getting better, as
/// torch.optim.lr_scheduler.ReduceLROnPlateau does. A metric of NaN is no progress. The optimiser must
/// outlive it. One thread at a time may use it.
///
///   optim::ReduceOnPlateau plateau(sgd, {.factor = 0.5, .patience = 3});
///   for (...) { ... plateau.step(validation_loss); }
class ESPALIER_API ReduceOnPlateau {
 public:
  /// Throws ValueError for a factor outside [0, 1) and other options that are negative or not finite.
  explicit ReduceOnPlateau(Optimiser& optimiser, const PlateauOptions& options = {});

  /// Takes the metric of a step.
  void step(double metric);
  /// The best metric so far; infinite before the first.
  double best() const;

  /// `best`, `bad_steps` and `cooldown`; the rates are in the optimiser's state. The tensors are this
  /// object's own.
  nn::StateMap state();
  /// Throws ValueError as nn::load_state() does.
  void load_state(const nn::StateMap& state);
  void visit(nn::Visitor& visitor);

 private:
  bool is_better(double metric) const;

  Optimiser& optimiser_;
  PlateauOptions options_;
  Tensor best_;
  Tensor bad_steps_, cooldown_;  ///< i64
};

}  // namespace espalier::optim
