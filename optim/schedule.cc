#include "optim/schedule.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <string>
#include <utility>

#include "core/error.h"
#include "optim/options_internal.h"

namespace espalier::optim {
namespace {

void check_steps(std::string_view where, std::string_view what, int64_t steps, int64_t least = 1) {
  check_option(where, steps >= least, what, static_cast<double>(steps), std::to_string(least) + " or more");
}

/// Half a cosine from `from`, at `share` 0, to `to`, at 1.
double cosine_between(double from, double to, double share) {
  return to + (from - to) / 2 * (1 + std::cos(std::numbers::pi * share));
}

double share_of(int64_t step, int64_t steps) {
  return static_cast<double>(std::min(step, steps)) / static_cast<double>(steps);
}

void check_rising(std::string_view where, const std::vector<int64_t>& milestones, int64_t least) {
  for (const int64_t milestone : milestones) {
    check_steps(where, "a milestone", milestone, least);
    if (milestone < least) return;
    least = milestone + 1;
  }
}

/// A phase of one_cycle: from the value where the last one ended to `value` at step `end`.
struct Phase {
  double end;
  double value;
};

Schedule phases(double start, std::vector<Phase> list, bool in_lines) {
  return Schedule([=, list = std::move(list)](int64_t step) {
    const double last = list.back().end;
    const double at = std::min(static_cast<double>(step), last);
    double from = start, begin = 0;
    for (const Phase& phase : list) {
      if (at <= phase.end) {
        const double share = (at - begin) / (phase.end - begin);
        return in_lines ? from + (phase.value - from) * share : cosine_between(from, phase.value, share);
      }
      from = phase.value;
      begin = phase.end;
    }
    return from;
  });
}

}  // namespace

Schedule::Schedule(std::function<double(int64_t)> factor) : factor_(std::move(factor)) {
  if (!factor_) throw ValueError("Schedule", "the function is empty");
}

double Schedule::factor(int64_t step) const {
  check_steps("Schedule", "the step", step, 0);
  return factor_(step);
}

Schedule constant(double factor) {
  check_not_negative("constant", "factor", factor);
  return Schedule([=](int64_t) { return factor; });
}

Schedule step_decay(int64_t every, double factor) {
  check_steps("step_decay", "every", every);
  check_not_negative("step_decay", "factor", factor);
  return Schedule([=](int64_t step) {
    const int64_t decays = step / every;
    return std::pow(factor, static_cast<double>(decays));
  });
}

Schedule multi_step(std::vector<int64_t> milestones, double factor) {
  check_rising("multi_step", milestones, 0);
  check_not_negative("multi_step", "factor", factor);
  return Schedule([=, milestones = std::move(milestones)](int64_t step) {
    const auto passed = std::upper_bound(milestones.begin(), milestones.end(), step) - milestones.begin();
    return std::pow(factor, static_cast<double>(passed));
  });
}

Schedule exponential(double factor) {
  check_not_negative("exponential", "factor", factor);
  return Schedule([=](int64_t step) { return std::pow(factor, static_cast<double>(step)); });
}

Schedule linear(double from, double to, int64_t steps) {
  check_not_negative("linear", "from", from);
  check_not_negative("linear", "to", to);
  check_steps("linear", "steps", steps);
  return Schedule([=](int64_t step) { return from + (to - from) * share_of(step, steps); });
}

Schedule warm_up(int64_t steps, double from) {
  check_steps("warm_up", "steps", steps, 0);
  check_not_negative("warm_up", "from", from);
  return steps == 0 ? constant() : linear(from, 1, steps);
}

Schedule polynomial(int64_t steps, double power) {
  check_steps("polynomial", "steps", steps);
  check_not_negative("polynomial", "power", power);
  return Schedule(
      [=](int64_t step) { return step >= steps ? 0 : std::pow(1 - share_of(step, steps), power); });
}

Schedule cosine(int64_t steps, double minimum) {
  check_steps("cosine", "steps", steps);
  check_not_negative("cosine", "minimum", minimum);
  return Schedule([=](int64_t step) { return cosine_between(1, minimum, share_of(step, steps)); });
}

Schedule cosine_restarts(int64_t steps, int64_t multiplier, double minimum) {
  check_steps("cosine_restarts", "steps", steps);
  check_steps("cosine_restarts", "multiplier", multiplier);
  check_not_negative("cosine_restarts", "minimum", minimum);
  return Schedule([=](int64_t step) {
    int64_t period = steps, at = step;
    if (multiplier == 1) {
      at %= period;
    } else {
      constexpr int64_t kLongest = std::numeric_limits<int64_t>::max();
      while (at >= period) {
        at -= period;
        period = period > kLongest / multiplier ? kLongest : period * multiplier;
      }
    }
    return cosine_between(1, minimum, share_of(at, period));
  });
}

Schedule sequential(std::vector<Schedule> schedules, std::vector<int64_t> milestones) {
  if (schedules.size() != milestones.size() + 1) {
    throw ValueError("sequential", std::to_string(schedules.size()) + " schedules and " +
                                       std::to_string(milestones.size()) +
                                       " milestones; expected one schedule more than milestones");
  }
  check_rising("sequential", milestones, 1);
  return Schedule([schedules = std::move(schedules), milestones = std::move(milestones)](int64_t step) {
    const auto next = std::upper_bound(milestones.begin(), milestones.end(), step);
    const int64_t start = next == milestones.begin() ? 0 : *(next - 1);
    return schedules[static_cast<size_t>(next - milestones.begin())].factor(step - start);
  });
}

Schedule operator*(const Schedule& a, const Schedule& b) {
  return Schedule([=](int64_t step) { return a.factor(step) * b.factor(step); });
}

OneCycle one_cycle(const OneCycleOptions& o) {
  constexpr std::string_view kSchedule = "one_cycle";
  const auto check_positive = [&](std::string_view what, double value) {
    check_option(kSchedule, std::isfinite(value) && value > 0, what, value, "a finite number above 0");
  };
  check_steps(kSchedule, "steps", o.steps);
  check_option(kSchedule, o.rising > 0 && o.rising < 1, "rising", o.rising, "a share between 0 and 1");
  check_positive("start_divisor", o.start_divisor);
  check_positive("final_divisor", o.final_divisor);
  check_fraction(kSchedule, "lowest_momentum", o.lowest_momentum);
  check_fraction(kSchedule, "highest_momentum", o.highest_momentum);
  check_option(kSchedule, o.lowest_momentum <= o.highest_momentum, "lowest_momentum", o.lowest_momentum,
               "no more than highest_momentum");
  // Steps count from 0, so a phase of n steps ends at step n - 1.
  const auto steps = static_cast<double>(o.steps);
  const double peak = o.rising * steps - 1, back = 2 * o.rising * steps - 2, last = steps - 1;
  if (!(peak > 0) || !(o.three_phases ? back < last : peak < last)) {
    throw ValueError(kSchedule, std::to_string(o.steps) + " steps are too few for a phase of " +
                                    std::to_string(o.rising) +
                                    " of them, or that leaves none for the others");
  }
  const double first = 1 / o.start_divisor, final_factor = first / o.final_divisor;
  if (!o.three_phases) {
    return {phases(first, {{peak, 1}, {last, final_factor}}, o.linear),
            phases(o.highest_momentum, {{peak, o.lowest_momentum}, {last, o.highest_momentum}}, o.linear)};
  }
  return {
      phases(first, {{peak, 1}, {back, first}, {last, final_factor}}, o.linear),
      phases(o.highest_momentum,
             {{peak, o.lowest_momentum}, {back, o.highest_momentum}, {last, o.highest_momentum}}, o.linear)};
}

}  // namespace espalier::optim
