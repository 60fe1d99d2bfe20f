#include "optim/schedule.h"

#include <cmath>
#include <cstdint>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/support/message_of.h"
#include "tests/support/special_values.h"

namespace espalier::optim {
namespace {

using test::kNan;
using test::message_of;
using testing::HasSubstr;

/// The values are what this prints, with the scheduler that stands beside each:
///
///   w = torch.nn.Parameter(torch.zeros(1))
///   sgd = torch.optim.SGD([w], lr=1., momentum=0.9)
///   scheduler = StepLR(sgd, 3, 0.5)
///   for _ in range(8):
///       print(sgd.param_groups[0]['lr'])
///       sgd.step()
///       scheduler.step()
void expect_factors(const Schedule& schedule, const std::vector<double>& expected) {
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(schedule.factor(static_cast<int64_t>(i)), expected[i], 1e-14) << "step " << i;
  }
}

TEST(Schedule, FollowsPyTorch) {
  expect_factors(step_decay(3, 0.5), {1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25});
  // MultiStepLR(sgd, [2, 3, 6], 0.1)
  expect_factors(multi_step({2, 3, 6}), {1, 1, 0.1, 0.01, 0.01, 0.01, 0.001, 0.001});
  // ExponentialLR(sgd, 0.9)
  expect_factors(exponential(0.9), {1, 0.9, 0.81, 0.729});
  // LinearLR(sgd, 0.25, 0.75, 4)
  expect_factors(linear(0.25, 0.75, 4), {0.25, 0.375, 0.5, 0.625, 0.75, 0.75, 0.75});
  // PolynomialLR(sgd, 5, 2.)
  expect_factors(polynomial(5, 2), {1, 0.64, 0.36, 0.16, 0.04, 0, 0});
  // CosineAnnealingLR(sgd, 5, 0.1)
  expect_factors(cosine(5, 0.1),
                 {1, 0.914057647468726, 0.689057647468726, 0.410942352531274, 0.185942352531274, 0.1});
  // CosineAnnealingWarmRestarts(sgd, 3, 1, 0.1)
  expect_factors(cosine_restarts(3, 1, 0.1), {1, 0.775, 0.325, 1, 0.775, 0.325, 1, 0.775});
  // CosineAnnealingWarmRestarts(sgd, 2, 2, 0.1)
  expect_factors(cosine_restarts(2, 2, 0.1), {1, 0.55, 1, 0.868198051533946, 0.55, 0.231801948466054, 1,
                                              0.965745789630079, 0.868198051533946, 0.72220754456429});
  // SequentialLR(sgd, [LinearLR(sgd, 0.5, 1., 2), ExponentialLR(sgd, 0.5), StepLR(sgd, 2, 0.1)], [2, 5])
  expect_factors(sequential({warm_up(2, 0.5), exponential(0.5), step_decay(2)}, {2, 5}),
                 {0.5, 0.75, 1, 0.5, 0.25, 1, 1, 0.1, 0.1, 0.01});
  // ChainedScheduler([LinearLR(sgd, 0.5, 1., 2), ExponentialLR(sgd, 0.5)])
  expect_factors(warm_up(2, 0.5) * exponential(0.5), {0.5, 0.375, 0.25, 0.125, 0.0625});
}

TEST(Schedule, OneCycleFollowsPyTorch) {
  // OneCycleLR(sgd, 1., total_steps=10)
  const OneCycle cosines = one_cycle({.steps = 10});
  expect_factors(cosines.rate, {0.04, 0.52, 1, 0.950484632013474, 0.811745653949763, 0.611262021936289,
                                0.388741978063711, 0.188258346050237, 0.0495193679865263, 4e-06});
  expect_factors(cosines.momentum, {0.95, 0.9, 0.85, 0.854951556604879, 0.868825509907063, 0.888873953302184,
                                    0.911126046697816, 0.931174490092937, 0.945048443395121, 0.95});
  // OneCycleLR(sgd, 1., total_steps=12, pct_start=0.4, anneal_strategy='linear', three_phase=True,
  //            div_factor=10, final_div_factor=100, base_momentum=0.8, max_momentum=0.9)
  const OneCycle lines = one_cycle({.steps = 12,
                                    .rising = 0.4,
                                    .start_divisor = 10,
                                    .final_divisor = 100,
                                    .linear = true,
                                    .three_phases = true,
                                    .lowest_momentum = 0.8,
                                    .highest_momentum = 0.9});
  expect_factors(lines.rate, {0.1, 0.336842105263158, 0.573684210526316, 0.810526315789474, 0.952631578947369,
                              0.715789473684211, 0.478947368421053, 0.242105263157895, 0.0883529411764706,
                              0.0592352941176471, 0.0301176470588236, 0.001});
  expect_factors(lines.momentum,
                 {0.9, 0.873684210526316, 0.847368421052632, 0.821052631578947, 0.805263157894737,
                  0.831578947368421, 0.857894736842105, 0.884210526315789, 0.9, 0.9, 0.9, 0.9});
  EXPECT_EQ(lines.rate.factor(1000), lines.rate.factor(11));
}

TEST(Schedule, EndsStayAndFarStepsAreReached) {
  EXPECT_EQ(cosine(5, 0.1).factor(1000), 0.1);
  EXPECT_EQ(polynomial(5, 0).factor(5), 0);
  EXPECT_EQ(warm_up(0).factor(0), 1);
  EXPECT_EQ(warm_up(4).factor(0), 0);
  EXPECT_EQ(constant(0.5).factor(7), 0.5);
  const double far = cosine_restarts(3, 2).factor(INT64_MAX);
  EXPECT_TRUE(far >= 0 && far <= 1) << far;
  EXPECT_DOUBLE_EQ(exponential(0.5).rate(2, 0.8), 0.2);
  EXPECT_EQ(Schedule([](int64_t step) { return 2.0 * static_cast<double>(step); }).factor(3), 6);
}

TEST(Schedule, RefusesWhatMakesNoSense) {
  const auto refuses = [](const std::function<void()>& make, const std::string& message) {
    EXPECT_THAT(message_of<ValueError>(make), HasSubstr(message));
  };
  refuses([] { constant().factor(-1); }, "the step is -1; expected 0 or more");
  refuses([] { Schedule({}); }, "[Schedule] the function is empty");
  refuses([] { constant(kNan); }, "[constant] factor is nan");
  refuses([] { step_decay(0); }, "[step_decay] every is 0; expected 1 or more");
  refuses([] { step_decay(1, -1); }, "factor is -1");
  refuses([] { multi_step({3, 3}); }, "[multi_step] a milestone is 3; expected 4 or more");
  refuses([] { multi_step({-1}); }, "a milestone is -1");
  refuses([] { exponential(HUGE_VAL); }, "[exponential] factor is inf");
  refuses([] { linear(0.5, 1, 0); }, "[linear] steps is 0");
  refuses([] { linear(-0.5, 1, 2); }, "from is -0.5");
  refuses([] { linear(0.5, kNan, 2); }, "to is nan");
  refuses([] { warm_up(-1); }, "[warm_up] steps is -1; expected 0 or more");
  refuses([] { polynomial(-3); }, "[polynomial] steps is -3");
  refuses([] { polynomial(3, -1); }, "power is -1");
  refuses([] { cosine(0); }, "[cosine] steps is 0");
  refuses([] { cosine(3, kNan); }, "minimum is nan");
  refuses([] { cosine_restarts(0); }, "[cosine_restarts] steps is 0");
  refuses([] { cosine_restarts(3, 0); }, "multiplier is 0");
  refuses([] { sequential({constant()}, {3}); }, "1 schedules and 1 milestones");
  refuses([] { sequential({constant(), constant(), constant()}, {3, 2}); }, "a milestone is 2; expected 4");
  refuses([] { sequential({constant(), constant()}, {0}); }, "a milestone is 0; expected 1");
  refuses([] { one_cycle({.steps = 0}); }, "[one_cycle] steps is 0");
  refuses([] { one_cycle({.steps = 3}); }, "3 steps are too few");
  refuses([] { one_cycle({.steps = 10, .rising = 0.6, .three_phases = true}); },
          "leaves none for the others");
  refuses([] { one_cycle({.steps = 10, .rising = 1}); }, "rising is 1");
  refuses([] { one_cycle({.steps = 10, .start_divisor = 0}); }, "start_divisor is 0");
  refuses([] { one_cycle({.steps = 10, .final_divisor = -1}); }, "final_divisor is -1");
  refuses([] { one_cycle({.steps = 10, .highest_momentum = 1}); }, "highest_momentum is 1");
  refuses([] { one_cycle({.steps = 10, .lowest_momentum = 0.9, .highest_momentum = 0.8}); },
          "lowest_momentum is 0.9");
}

}  // namespace
}  // namespace espalier::optim
