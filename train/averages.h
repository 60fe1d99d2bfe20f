#pragma once

#include <cstdint>

#include "core/export.h"

namespace espalier::training {

/// A mean of means, each weighted with the number of examples or tokens behind it: the loss of an epoch whose
/// batches differ in size. One thread at a time may use it.
///
///   training::RunningMean loss;
///   for (...) loss.add(cross_entropy(net(batch.inputs), batch.labels).item(), batch.size());
class ESPALIER_API RunningMean {
 public:
  /// Adds the mean of `count` values. A count of 0 adds nothing, whatever the mean: the loss of a batch
  /// without targets is NaN. Throws ValueError for a negative count.
  void add(double mean, int64_t count = 1);

  /// The mean of all values; NaN where there are none, or one was.
  double mean() const;
  /// The number of values.
  int64_t count() const noexcept { return count_; }
  /// exp(mean()): the perplexity of a language model, where the values are losses in nats by token.
  double perplexity() const;

 private:
  double sum_ = 0;
  int64_t count_ = 0;
};

/// An exponential moving average for display: of a loss from step to step, say. It weighs the value added k
/// steps ago with decay^k and divides by the weights' sum, so that it is right from the first value on (the
/// correction of Kingma and Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015). One thread at a
/// time may use it.
class ESPALIER_API MovingAverage {
 public:
  /// Throws ValueError for a decay outside [0, 1).
  explicit MovingAverage(double decay = 0.98);

  /// Adds a value. One that is not finite is shown, not averaged: it is what value() gives until the next.
  void add(double value);
  /// NaN before the first.
  double value() const;

 private:
  double decay_;
  double average_ = 0, weight_ = 0;
  double last_;
};

}  // namespace espalier::training
