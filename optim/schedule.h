#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "core/export.h"

namespace espalier::optim {

/// How a learning rate changes: a pure function from a step, counted from 0, to the factor that the initial
/// learning rate is multiplied with. A value: copy it, multiply it, plot it. What counts as a step, batch or
/// epoch, is the caller's choice. Any thread may use it.
///
///   const optim::Schedule schedule = optim::warm_up(100) * optim::cosine(10000);
///   schedule.factor(50);         // 0.49997
///   schedule.rate(50, 3e-4);     // the rate of that step: 1.5e-4
class ESPALIER_API Schedule {
 public:
  /// A schedule of your own. Throws ValueError for an empty function.
  explicit Schedule(std::function<double(int64_t step)> factor);

  /// Throws ValueError for a negative step.
  double factor(int64_t step) const;
  double rate(int64_t step, double initial) const { return initial * factor(step); }

 private:
  std::function<double(int64_t)> factor_;
};

// The formulas are those of the class of torch.optim.lr_scheduler that each names, in closed form; `steps`
// must be 1 or more and factors finite and not negative, or ValueError is thrown.

/// The same factor at every step.
ESPALIER_API Schedule constant(double factor = 1);

/// StepLR: times `factor` after each `every` steps.
ESPALIER_API Schedule step_decay(int64_t every, double factor = 0.1);

/// MultiStepLR: times `factor` at each milestone. Throws ValueError unless these rise and are not negative.
ESPALIER_API Schedule multi_step(std::vector<int64_t> milestones, double factor = 0.1);

/// ExponentialLR: times `factor` after every step.
ESPALIER_API Schedule exponential(double factor);

/// LinearLR: in a line from the factor `from` at step 0 to the factor `to` at step `steps` and after.
ESPALIER_API Schedule linear(double from, double to, int64_t steps);

/// A line from `from` up to 1 at step `steps`; 1 at once where `steps` is 0. Throws ValueError for a negative
/// `steps`.
ESPALIER_API Schedule warm_up(int64_t steps, double from = 0);

/// PolynomialLR: (1 - step / steps)^power, and 0 from step `steps` on. Throws ValueError for a power that is
/// negative or not finite.
ESPALIER_API Schedule polynomial(int64_t steps, double power = 1);

/// CosineAnnealingLR: half a cosine from 1 down to `minimum` at step `steps` and after (where PyTorch's rises
/// again): Loshchilov and Hutter, "SGDR" (2016).
ESPALIER_API Schedule cosine(int64_t steps, double minimum = 0);

/// CosineAnnealingWarmRestarts: cosines from 1 down to `minimum`, the first over `steps` steps, each next one
/// over `multiplier` times as many. Throws ValueError for a multiplier below 1.
ESPALIER_API Schedule cosine_restarts(int64_t steps, int64_t multiplier = 1, double minimum = 0);

/// SequentialLR: the first schedule until the first milestone, where the second one starts at its own step 0,
/// and so on. Throws ValueError unless there is one schedule more than milestones, which rise from 1 up.
///
///   optim::sequential({optim::warm_up(500), optim::cosine(9500)}, {500});
ESPALIER_API Schedule sequential(std::vector<Schedule> schedules, std::vector<int64_t> milestones);

/// ChainedScheduler: both factors multiplied.
ESPALIER_API Schedule operator*(const Schedule& a, const Schedule& b);

struct OneCycleOptions {
  int64_t steps;
  double rising = 0.3;            ///< the share of the steps in which the rate rises
  double start_divisor = 25;      ///< the first rate is the peak divided by it
  double final_divisor = 1e4;     ///< the last rate is the first one divided by it
  bool linear = false;            ///< lines instead of cosines
  bool three_phases = false;      ///< fall to the first rate as fast as it rose, then on to the last
  double lowest_momentum = 0.85;  ///< at the peak of the rate
  double highest_momentum = 0.95;
};

struct OneCycle {
  Schedule rate;      ///< factors of the peak, which is the optimiser's learning rate
  Schedule momentum;  ///< not factors but the momenta themselves
};

/// OneCycleLR (Smith and Topin, "Super-convergence", 2017): the rate rises to its peak and falls far below
/// where it began, while the momentum falls and rises; the last step's values stay. The peak is the learning
/// rate that the optimiser was made with. Throws ValueError for shares outside (0, 1), so few steps that a
/// phase has none, divisors that are not positive and momenta outside [0, 1) or in the wrong order.
///
///   const optim::OneCycle cycle = optim::one_cycle({.steps = 1000});
///   optim::Scheduler scheduler(sgd, cycle.rate, cycle.momentum);
ESPALIER_API OneCycle one_cycle(const OneCycleOptions& options);

}  // namespace espalier::optim
