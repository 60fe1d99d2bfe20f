#include "train/averages.h"

#include <cmath>
#include <limits>
#include <string>

#include "core/error.h"

namespace espalier::training {

void RunningMean::add(double mean, int64_t count) {
  if (count < 0)
    throw ValueError("RunningMean", "count is " + std::to_string(count) + "; expected 0 or more");
  if (count == 0) return;
  sum_ += mean * static_cast<double>(count);
  count_ += count;
}

double RunningMean::mean() const {
  return count_ == 0 ? std::numeric_limits<double>::quiet_NaN() : sum_ / static_cast<double>(count_);
}

double RunningMean::perplexity() const {
  return std::exp(mean());
}

MovingAverage::MovingAverage(double decay) : decay_(decay), last_(std::numeric_limits<double>::quiet_NaN()) {
  const bool allowed = decay >= 0 && decay < 1;  // false for NaN
  if (!allowed) {
    throw ValueError("MovingAverage",
                     "decay is " + std::to_string(decay) + "; expected 0 or more and less than 1");
  }
}

void MovingAverage::add(double value) {
  last_ = value;
  if (!std::isfinite(value)) return;
  average_ = decay_ * average_ + (1 - decay_) * value;
  weight_ = decay_ * weight_ + (1 - decay_);
}

double MovingAverage::value() const {
  return std::isfinite(last_) ? average_ / weight_ : last_;
}

}  // namespace espalier::training
