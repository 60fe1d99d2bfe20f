#pragma once

#include <cstdint>

#include "core/export.h"
#include "core/tensor.h"
#include "nn/state.h"

namespace espalier::training {

struct EarlyStoppingOptions {
  bool maximise = false;  ///< whether a larger metric is a better one
  int64_t patience = 10;  ///< steps without progress that are put up with; the next one stops
  double threshold = 0;   ///< a metric makes progress if it is better than the best by more than this
};

/// Says when to stop because a metric has stopped getting better, and which step was the best. A metric of
/// NaN is no progress. One thread at a time may use it.
///
///   training::EarlyStopping stopping({.maximise = true, .patience = 5});
///   while (!stopping.should_stop()) {
///     ... an epoch ...
///     stopping.step(accuracy);
///     if (stopping.improved()) io::save_safetensors("best.safetensors", nn::state(net));
///   }
class ESPALIER_API EarlyStopping {
 public:
  /// Throws ValueError for a negative patience or a threshold that is negative or not finite.
  explicit EarlyStopping(const EarlyStoppingOptions& options = {});

  /// Takes the metric of a step.
  void step(double metric);
  /// Whether the metric of the last step made progress.
  bool improved() const;
  /// Whether patience is exhausted: more steps than that have gone by since the best one.
  bool should_stop() const;

  /// The metric that made progress last; infinite before the first.
  double best() const;
  /// The step that had it, counted from 1; 0 before the first.
  int64_t best_step() const;
  /// The steps made.
  int64_t steps() const;

  /// `best`, `best_step` and `step`. The tensors are this object's own.
  nn::StateMap state();
  /// Copies the values of `state` into this object. Throws ValueError as nn::load_state() does, for a best
  /// metric of NaN and for steps that cannot be; then all is as it was.
  void load_state(const nn::StateMap& state);
  void visit(nn::Visitor& visitor);

 private:
  EarlyStoppingOptions options_;
  Tensor best_;              ///< f64
  Tensor best_step_, step_;  ///< i64
};

}  // namespace espalier::training
