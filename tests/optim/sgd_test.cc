#include "optim/sgd.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/optim/trajectory.h"
#include "tests/support/message_of.h"

namespace espalier::optim {
namespace {

using test::expect_trajectory;
using test::message_of;
using testing::HasSubstr;

void check_sgd(const SgdOptions& options) {
  expect_trajectory(
      [&](const nn::NamedTensors& parameters) { return std::make_unique<Sgd>(parameters, options); },
      [&, velocities = std::vector<double>(3)](size_t i, int, double w, double gradient) mutable {
        const double g = gradient + options.weight_decay * w;
        velocities[i] = options.momentum * velocities[i] + g;
        const double direction = options.nesterov ? g + options.momentum * velocities[i] : velocities[i];
        return w - options.learning_rate * direction;
      });
}

TEST(Sgd, Plain) {
  check_sgd({.learning_rate = 0.1});
}
TEST(Sgd, WeightDecay) {
  check_sgd({.learning_rate = 0.1, .weight_decay = 0.05});
}
TEST(Sgd, Momentum) {
  check_sgd({.learning_rate = 0.05, .momentum = 0.9, .weight_decay = 0.01});
}
TEST(Sgd, Nesterov) {
  check_sgd({.learning_rate = 0.05, .momentum = 0.8, .weight_decay = 0.01, .nesterov = true});
}

TEST(Sgd, RefusesWrongOptions) {
  const nn::NamedTensors parameters = {{"w", requires_grad_(ones({2}))}};
  const auto made = [&](const SgdOptions& options) { return [&, options] { Sgd(parameters, options); }; };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(message_of<ValueError>(made({.learning_rate = nan})), HasSubstr("[Sgd] learning rate is nan"));
  EXPECT_THAT(message_of<ValueError>(made({.learning_rate = -1})), HasSubstr("learning rate is -1"));
  EXPECT_THAT(message_of<ValueError>(made({.learning_rate = 1, .momentum = -0.5})),
              HasSubstr("momentum is -0.5"));
  EXPECT_THAT(message_of<ValueError>(made({.learning_rate = 1, .weight_decay = HUGE_VAL})),
              HasSubstr("weight decay is inf"));
  EXPECT_THAT(message_of<ValueError>(made({.learning_rate = 1, .nesterov = true})), HasSubstr("Nesterov"));
}

}  // namespace
}  // namespace espalier::optim
