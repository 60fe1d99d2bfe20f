#include "optim/scheduler.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/autograd.h"
#include "core/error.h"
#include "ops/copy.h"
#include "optim/options_internal.h"

namespace espalier::optim {
namespace {

void set_count(const Tensor& counter, int64_t count) {
  copy_(counter, full({}, count, Dtype::i64));
}

int64_t count_of(const Tensor& counter) {
  return *counter.data<int64_t>();
}

}  // namespace

Scheduler::Scheduler(Optimiser& optimiser, Schedule rate, std::optional<Schedule> momentum)
    : optimiser_(optimiser), rate_(std::move(rate)), momentum_(std::move(momentum)) {
  std::vector<double> initial;
  bool moving = false;
  for (size_t g = 0; g < optimiser.group_count(); ++g) {
    initial.push_back(optimiser.learning_rate(g));
    moving |= optimiser.has_momentum(g);
  }
  if (momentum_ && !moving) throw ValueError("Scheduler", "the optimiser has no momentum to change");
  initial_ = from_values(initial, {static_cast<int64_t>(initial.size())});
  step_ = zeros({}, Dtype::i64);
  apply();
}

void Scheduler::apply() {
  const int64_t step = count_of(step_);
  const double factor = rate_.factor(step);
  for (size_t g = 0; g < optimiser_.group_count(); ++g) {
    optimiser_.set_learning_rate(initial_.data<double>()[g] * factor, g);
    if (momentum_ && optimiser_.has_momentum(g)) optimiser_.set_momentum(momentum_->factor(step), g);
  }
}

void Scheduler::step() {
  set_count(step_, count_of(step_) + 1);
  apply();
}

int64_t Scheduler::steps() const {
  return count_of(step_);
}

nn::StateMap Scheduler::state() {
  return nn::state(*this);
}

void Scheduler::load_state(const nn::StateMap& state) {
  const auto step = state.find("step");
  if (step != state.end() && step->second.defined() && step->second.numel() == 1)
    check_not_negative("Scheduler", "step", step->second.item());
  const auto rates = state.find("initial_learning_rates");
  if (rates != state.end() && rates->second.defined() && rates->second.dtype() == Dtype::f64) {
    for (const double rate : rates->second.to_vector<double>())
      check_not_negative("Scheduler", "an initial learning rate", rate);
  }
  nn::load_state(*this, state);
  apply();
}

void Scheduler::visit(nn::Visitor& visitor) {
  visitor.buffer("step", step_);
  visitor.buffer("initial_learning_rates", initial_);
}

ReduceOnPlateau::ReduceOnPlateau(Optimiser& optimiser, const PlateauOptions& options)
    : optimiser_(optimiser), options_(options) {
  constexpr std::string_view kReduceOnPlateau = "ReduceOnPlateau";
  check_fraction(kReduceOnPlateau, "factor", options.factor);
  check_not_negative(kReduceOnPlateau, "patience", static_cast<double>(options.patience));
  check_not_negative(kReduceOnPlateau, "threshold", options.threshold);
  check_not_negative(kReduceOnPlateau, "cooldown", static_cast<double>(options.cooldown));
  check_not_negative(kReduceOnPlateau, "minimum rate", options.minimum_rate);
  check_not_negative(kReduceOnPlateau, "epsilon", options.epsilon);
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  best_ = full({}, options.maximise ? -kInfinity : kInfinity, Dtype::f64);
  bad_steps_ = zeros({}, Dtype::i64);
  cooldown_ = zeros({}, Dtype::i64);
}

double ReduceOnPlateau::best() const {
  return best_.item();
}

bool ReduceOnPlateau::is_better(double metric) const {
  if (std::isinf(best())) return options_.maximise ? metric > best() : metric < best();
  const double threshold = options_.threshold;
  if (options_.maximise) return metric > (options_.absolute ? best() + threshold : best() * (1 + threshold));
  return metric < (options_.absolute ? best() - threshold : best() * (1 - threshold));
}

void ReduceOnPlateau::step(double metric) {
  int64_t bad = count_of(bad_steps_) + 1, cooldown = count_of(cooldown_);
  if (is_better(metric)) {
    copy_(best_, full({}, metric, Dtype::f64));
    bad = 0;
  }
  if (cooldown > 0) {
    --cooldown;
    bad = 0;
  }
  if (bad > options_.patience) {
    for (size_t g = 0; g < optimiser_.group_count(); ++g) {
      const double rate = optimiser_.learning_rate(g);
      const double reduced = std::max(rate * options_.factor, options_.minimum_rate);
      if (rate - reduced > options_.epsilon) optimiser_.set_learning_rate(reduced, g);
    }
    cooldown = options_.cooldown;
    bad = 0;
  }
  set_count(bad_steps_, bad);
  set_count(cooldown_, cooldown);
}

nn::StateMap ReduceOnPlateau::state() {
  return nn::state(*this);
}

void ReduceOnPlateau::load_state(const nn::StateMap& state) {
  nn::load_state(*this, state);
}

void ReduceOnPlateau::visit(nn::Visitor& visitor) {
  visitor.buffer("best", best_);
  visitor.buffer("bad_steps", bad_steps_);
  visitor.buffer("cooldown", cooldown_);
}

}  // namespace espalier::optim
