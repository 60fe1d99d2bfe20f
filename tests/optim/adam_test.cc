#include "optim/adam.h"

#include <array>
#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/create.h"
#include "core/error.h"
#include "ops/adam_step.h"
#include "tests/optim/trajectory.h"
#include "tests/support/message_of.h"

namespace espalier::optim {
namespace {

using test::expect_trajectory;
using test::message_of;
using testing::HasSubstr;

/// Adam as its paper writes it, in double precision; `decoupled` as AdamW's.
template <class Optimiser, class Options>
void check_adam(const Options& options, bool decoupled) {
  struct Moments {
    double mean = 0, square = 0;
  };
  expect_trajectory(
      [&](const nn::NamedTensors& parameters) { return std::make_unique<Optimiser>(parameters, options); },
      [&, moments = std::array<Moments, 3>()](size_t i, int step, double w, double g) mutable {
        if (decoupled)
          w -= options.learning_rate * options.weight_decay * w;
        else
          g += options.weight_decay * w;
        Moments& m = moments[i];
        m.mean = options.beta1 * m.mean + (1 - options.beta1) * g;
        m.square = options.beta2 * m.square + (1 - options.beta2) * g * g;
        const double mean = m.mean / (1 - std::pow(options.beta1, step));
        const double square = m.square / (1 - std::pow(options.beta2, step));
        return w - options.learning_rate * mean / (std::sqrt(square) + options.epsilon);
      });
}

TEST(Adam, Defaults) {
  check_adam<Adam>(AdamOptions{}, false);
}
TEST(Adam, OtherOptions) {
  check_adam<Adam>(AdamOptions{.learning_rate = 0.1, .beta1 = 0.5, .beta2 = 0.8, .epsilon = 0.01}, false);
}
TEST(Adam, WeightDecayInTheGradient) {
  check_adam<Adam>(AdamOptions{.learning_rate = 0.05, .weight_decay = 0.1}, false);
}
TEST(AdamW, WeightDecayBesideTheGradient) {
  check_adam<AdamW>(AdamWOptions{.learning_rate = 0.05, .weight_decay = 0.1}, true);
}

#if defined(__x86_64__)
/// In rounded arithmetic 0.9 times the smallest number is that number again.
TEST(Adam, MomentsOfWhatHasNoGradientEndAtZero) {
  const Tensor w = from_values<float>({1, 1}, {2}), mean = from_values<float>({1e-40f, 1}, {2}),
               square = zeros({2});
  const Tensor rate = full({}, 0.1, Dtype::f64), beta1 = full({}, 0.9, Dtype::f64);
  adam_step_(w, zeros({2}), mean, square, {}, rate, beta1, zeros({}, Dtype::i64), {});
  EXPECT_EQ(mean.to_vector<float>(), (std::vector<float>{0, 0.9f}));
  const volatile float smallest = std::numeric_limits<float>::denorm_min();
  EXPECT_NE(2 * smallest, 0) << "only the step flushes";
}
#endif

TEST(Adam, RefusesWrongOptions) {
  const nn::NamedTensors parameters = {{"w", requires_grad_(ones({2}))}};
  const auto made = [&](const AdamOptions& options) { return [&, options] { Adam(parameters, options); }; };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(message_of<ValueError>(made({.learning_rate = nan})), HasSubstr("[Adam] learning rate is nan"));
  EXPECT_THAT(message_of<ValueError>(made({.beta1 = 1})), HasSubstr("beta1 is 1"));
  EXPECT_THAT(message_of<ValueError>(made({.beta2 = -0.1})), HasSubstr("beta2 is -0.1"));
  EXPECT_THAT(message_of<ValueError>(made({.beta2 = nan})), HasSubstr("beta2 is nan"));
  EXPECT_THAT(message_of<ValueError>(made({.epsilon = -1})), HasSubstr("epsilon is -1"));
  EXPECT_THAT(message_of<ValueError>([&] { AdamW(parameters, {.weight_decay = -1}); }),
              HasSubstr("[AdamW] weight decay is -1"));
}

}  // namespace
}  // namespace espalier::optim
