#include "optim/scheduler.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "ops/copy.h"
#include "optim/adam.h"
#include "optim/sgd.h"
#include "tests/optim/test_model.h"
#include "tests/support/message_of.h"
#include "tests/support/special_values.h"

namespace espalier::optim {
namespace {

using test::kNan;
using test::message_of;
using test::TwoScales;
using testing::ElementsAreArray;
using testing::HasSubstr;

nn::StateMap copies_of(const nn::StateMap& state) {
  nn::StateMap result;
  for (const auto& [name, tensor] : state) result[name] = copy(tensor);
  return result;
}

TEST(Scheduler, SetsTheRatesOfAllGroups) {
  TwoScales model;
  Sgd sgd(model, {.learning_rate = 0.5}, {{{"second.*"}, {.learning_rate = 2, .momentum = 0.9}}});
  Scheduler scheduler(sgd, linear(0.5, 1, 2));
  const auto rates = [&] { return std::pair(sgd.learning_rate(0), sgd.learning_rate(1)); };
  EXPECT_EQ(rates(), std::pair(0.25, 1.0));
  scheduler.step();
  EXPECT_EQ(rates(), std::pair(0.375, 1.5));
  scheduler.step();
  EXPECT_EQ(rates(), std::pair(0.5, 2.0));
  EXPECT_EQ(scheduler.steps(), 2);
  EXPECT_EQ(sgd.momentum(1), 0.9);
}

TEST(Scheduler, CyclesTheMomentumOfGroupsThatHaveOne) {
  TwoScales model;
  Sgd sgd(model, {.learning_rate = 0.5}, {{{"second.*"}, {.learning_rate = 2, .momentum = 0.9}}});
  const OneCycle cycle = one_cycle({.steps = 10});
  Scheduler scheduler(sgd, cycle.rate, cycle.momentum);
  EXPECT_EQ(sgd.momentum(1), 0.95);
  scheduler.step();
  EXPECT_DOUBLE_EQ(sgd.momentum(1), 0.9);
  EXPECT_DOUBLE_EQ(sgd.learning_rate(1), 1.04);
  Adam adam(model);
  const Scheduler other(adam, cycle.rate, cycle.momentum);
  EXPECT_EQ(adam.momentum(), 0.95);
  Sgd plain(model, {.learning_rate = 0.5});
  EXPECT_THAT(message_of<ValueError>([&] { Scheduler(plain, cycle.rate, cycle.momentum); }),
              HasSubstr("no momentum to change"));
}

TEST(Scheduler, GoesOnFromItsState) {
  TwoScales model;
  const Schedule schedule = warm_up(2, 0.1) * cosine(7, 0.1);
  Adam adam(model, {.learning_rate = 0.3}), other(model, {.learning_rate = 0.7});
  Scheduler scheduler(adam, schedule);
  for (int i = 0; i < 3; ++i) scheduler.step();
  nn::StateMap saved = copies_of(scheduler.state());
  Scheduler later(other, schedule);
  later.load_state(saved);
  EXPECT_EQ(later.steps(), 3);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(other.learning_rate(), adam.learning_rate());
    scheduler.step();
    later.step();
  }
  saved["step"] = full({}, -1, Dtype::i64);
  EXPECT_THAT(message_of<ValueError>([&] { later.load_state(saved); }), HasSubstr("step is -1"));
  saved["step"] = full({}, 1, Dtype::i64);
  saved["initial_learning_rates"] = full({1}, kNan, Dtype::f64);
  EXPECT_THAT(message_of<ValueError>([&] { later.load_state(saved); }),
              HasSubstr("initial learning rate is nan"));
  saved["initial_learning_rates"] = full({2}, 1, Dtype::f64);
  EXPECT_THAT(message_of<ValueError>([&] { later.load_state(saved); }), HasSubstr("f64[2]"));
  EXPECT_EQ(later.steps(), 6);
}

TEST(Scheduler, RefusesFactorsThatAreNone) {
  TwoScales model;
  Sgd sgd(model, {.learning_rate = 0.5});
  EXPECT_THAT(message_of<ValueError>([&] { Scheduler(sgd, Schedule([](int64_t) { return kNan; })); }),
              HasSubstr("learning rate is nan"));
  EXPECT_EQ(sgd.learning_rate(), 0.5);
}

const std::vector<double> kMetrics = {1.0, 0.9, 0.95, 0.9, 0.91, 0.9, 0.5, 0.5, 0.49999, 0.5, 0.6, kNan, 0.7};

/// The rates after each metric, as this prints them, with the options given:
///
///   w = torch.nn.Parameter(torch.zeros(1))
///   sgd = torch.optim.SGD([w], lr=1.)
///   plateau = ReduceLROnPlateau(sgd, factor=0.5, patience=2)
///   for metric in metrics:
///       plateau.step(metric)
///       print(sgd.param_groups[0]['lr'])
std::vector<double> rates(const std::vector<double>& metrics, const PlateauOptions& options) {
  const Tensor w = requires_grad_(ones({1}));
  Sgd sgd(nn::NamedTensors{{"w", w}}, {.learning_rate = 1});
  ReduceOnPlateau plateau(sgd, options);
  std::vector<double> result;
  for (const double metric : metrics) {
    plateau.step(metric);
    result.push_back(sgd.learning_rate());
  }
  return result;
}

TEST(ReduceOnPlateau, FollowsPyTorch) {
  EXPECT_THAT(rates(kMetrics, {.factor = 0.5, .patience = 2}),
              ElementsAreArray({1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125}));
  // ReduceLROnPlateau(sgd, factor=0.5, patience=1, cooldown=2, threshold=0.05, threshold_mode='abs',
  //                   min_lr=0.3)
  EXPECT_THAT(rates(kMetrics, {.factor = 0.5,
                               .patience = 1,
                               .threshold = 0.05,
                               .absolute = true,
                               .cooldown = 2,
                               .minimum_rate = 0.3}),
              ElementsAreArray({1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.3, 0.3, 0.3, 0.3, 0.3}));
  // ReduceLROnPlateau(sgd, mode='max', factor=0.1, patience=1), of the metrics' negatives
  std::vector<double> negatives;
  for (const double metric : kMetrics) negatives.push_back(-metric);
  EXPECT_THAT(rates(negatives, {.maximise = true, .patience = 1}),
              ElementsAreArray({1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.1, 0.1}));
}

TEST(ReduceOnPlateau, GoesOnFromItsState) {
  const Tensor w = requires_grad_(ones({1}));
  Sgd sgd(nn::NamedTensors{{"w", w}}, {.learning_rate = 1}),
      other(nn::NamedTensors{{"w", w}}, {.learning_rate = 1});
  const PlateauOptions options{.factor = 0.5, .patience = 1, .cooldown = 1};
  ReduceOnPlateau plateau(sgd, options), later(other, options);
  for (size_t i = 0; i < 5; ++i) plateau.step(kMetrics[i]);
  EXPECT_EQ(plateau.best(), 0.9);
  later.load_state(copies_of(plateau.state()));
  other.load_state(sgd.state());
  for (size_t i = 5; i < kMetrics.size(); ++i) {
    plateau.step(kMetrics[i]);
    later.step(kMetrics[i]);
    EXPECT_EQ(other.learning_rate(), sgd.learning_rate());
  }
  EXPECT_LT(sgd.learning_rate(), 0.5);
}

TEST(ReduceOnPlateau, RefusesWrongOptions) {
  const Tensor w = requires_grad_(ones({1}));
  Sgd sgd(nn::NamedTensors{{"w", w}}, {.learning_rate = 1});
  const auto refuses = [&](const PlateauOptions& options, const std::string& message) {
    EXPECT_THAT(message_of<ValueError>([&] { ReduceOnPlateau(sgd, options); }), HasSubstr(message));
  };
  refuses({.factor = 1}, "factor is 1");
  refuses({.patience = -1}, "patience is -1");
  refuses({.threshold = kNan}, "threshold is nan");
  refuses({.cooldown = -1}, "cooldown is -1");
  refuses({.minimum_rate = -1}, "minimum rate is -1");
  refuses({.epsilon = -1}, "epsilon is -1");
}

}  // namespace
}  // namespace espalier::optim
