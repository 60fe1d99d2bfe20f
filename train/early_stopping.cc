#include "train/early_stopping.h"

#include <cmath>
#include <limits>
#include <optional>
#include <string>

#include "core/error.h"
#include "ops/copy.h"
#include "report/table.h"

namespace espalier::training {
namespace {

constexpr std::string_view kName = "EarlyStopping";

void set(const Tensor& scalar, Scalar value) {
  copy_(scalar, full({}, value, scalar.dtype()));
}

int64_t count_of(const Tensor& counter) {
  return *counter.data<int64_t>();
}

/// The number under a name, where there is one; nn::load_state() complains where there is none.
std::optional<double> number(const nn::StateMap& state, const std::string& name) {
  const auto found = state.find(name);
  if (found == state.end() || !found->second.defined() || found->second.numel() != 1) return {};
  return found->second.item();
}

}  // namespace

EarlyStopping::EarlyStopping(const EarlyStoppingOptions& options) : options_(options) {
  if (options.patience < 0) {
    throw ValueError(kName, "patience is " + std::to_string(options.patience) + "; expected 0 or more");
  }
  if (!std::isfinite(options.threshold) || options.threshold < 0) {
    throw ValueError(
        kName, "threshold is " + std::to_string(options.threshold) + "; expected a finite number, 0 or more");
  }
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  best_ = full({}, options.maximise ? -kInfinity : kInfinity, Dtype::f64);
  best_step_ = zeros({}, Dtype::i64);
  step_ = zeros({}, Dtype::i64);
}

void EarlyStopping::step(double metric) {
  const int64_t now = steps() + 1;
  set(step_, now);
  const bool better =
      options_.maximise ? metric > best() + options_.threshold : metric < best() - options_.threshold;
  if (!better) return;
  set(best_, metric);
  set(best_step_, now);
}

bool EarlyStopping::improved() const {
  return steps() > 0 && best_step() == steps();
}

bool EarlyStopping::should_stop() const {
  return steps() - best_step() > options_.patience;
}

double EarlyStopping::best() const {
  return best_.item();
}

int64_t EarlyStopping::best_step() const {
  return count_of(best_step_);
}

int64_t EarlyStopping::steps() const {
  return count_of(step_);
}

nn::StateMap EarlyStopping::state() {
  return nn::state(*this);
}

void EarlyStopping::load_state(const nn::StateMap& state) {
  if (std::isnan(number(state, "best").value_or(0)))
    throw ValueError(kName, "the state's best metric is NaN");
  // Beyond 2^53, a count is no longer exact as a double; no training makes as many steps.
  constexpr double kMaxSteps = 9007199254740992;
  const double step = number(state, "step").value_or(kMaxSteps);
  const double best_step = number(state, "best_step").value_or(0);
  const bool possible = best_step >= 0 && best_step <= step && step <= kMaxSteps;  // false for NaN
  if (!possible) {
    throw ValueError(kName, "the state's best step is " + report::fixed(best_step, 0) + " of " +
                                report::fixed(step, 0) + "; expected 0 <= best step <= step");
  }
  nn::load_state(*this, state);
}

void EarlyStopping::visit(nn::Visitor& visitor) {
  visitor.buffer("best", best_);
  visitor.buffer("best_step", best_step_);
  visitor.buffer("step", step_);
}

}  // namespace espalier::training
