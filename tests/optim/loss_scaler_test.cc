#include "optim/loss_scaler.h"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "core/error.h"
#include "ops/autocast.h"
#include "ops/cast.h"
#include "ops/linear.h"
#include "ops/multiply.h"
#include "ops/sum.h"
#include "tests/support/message_of.h"

namespace espalier::optim {
namespace {

using test::message_of;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr float kInfinite = std::numeric_limits<float>::infinity();

struct ScaledWeights {
  Tensor first = requires_grad_(from_values<float>({1, 2}, {2}));
  Tensor second = requires_grad_(from_values<float>({3}, {1}));
  Tensor idle = requires_grad_(zeros({1}));
  void give(float a, float b, float c) {
    first.set_grad(from_values<float>({a, b}, {2}));
    second.set_grad(from_values<float>({c}, {1}));
  }
  void visit(nn::Visitor& visitor) {
    visitor("first", first);
    visitor("second", second);
    visitor("idle", idle);
  }
};

TEST(LossScaler, ScalesTheLossAndDividesTheGradients) {
  ScaledWeights weights;
  LossScaler scaler({.initial = 1024});
  backward(scaler.scale(sum(weights.first * weights.first)));
  EXPECT_THAT(weights.first.grad().to_vector<float>(), ElementsAre(2048, 4096));
  const Tensor handle = weights.first.grad();
  EXPECT_TRUE(scaler.unscale_(weights));
  EXPECT_THAT(handle.to_vector<float>(), ElementsAre(2, 4));
  EXPECT_EQ(scaler.skipped(), 0);
  EXPECT_EQ(scaler.scale(full({}, 100, Dtype::f16)).dtype(), Dtype::f32);
  EXPECT_EQ(scaler.scale(full({}, 100, Dtype::f16)).item(), 102400);  // f16 ends at 65504
}

TEST(LossScaler, BacksOffWhereAGradientOverflowed) {
  ScaledWeights weights;
  LossScaler scaler({.initial = 8, .backoff = 0.25});
  for (const float bad : {kInfinite, -kInfinite, std::numeric_limits<float>::quiet_NaN()}) {
    weights.give(1, 2, bad);
    const double before = scaler.scale();
    EXPECT_FALSE(scaler.unscale_(weights));
    EXPECT_EQ(scaler.scale(), before / 4);
    EXPECT_THAT(weights.first.grad().to_vector<float>(), ElementsAre(1, 2));
  }
  EXPECT_EQ(scaler.skipped(), 3);
  weights.give(3e38F, 3e38F, 3e38F);  // whose squares overflow, but they do not
  EXPECT_TRUE(scaler.unscale_(weights));
}

TEST(LossScaler, GrowsAfterGoodStepsInARow) {
  ScaledWeights weights;
  LossScaler scaler({.initial = 4, .growth = 8, .growth_interval = 2});
  const auto step = [&](float last) {
    weights.give(4, 4, last);
    return scaler.unscale_(weights);
  };
  EXPECT_TRUE(step(4));
  EXPECT_EQ(scaler.scale(), 4);
  EXPECT_FALSE(step(kInfinite));
  EXPECT_TRUE(step(4));
  EXPECT_EQ(scaler.scale(), 2);
  EXPECT_TRUE(step(4));
  EXPECT_EQ(scaler.scale(), 16);
}

TEST(LossScaler, GoesOnFromItsState) {
  ScaledWeights weights;
  LossScaler scaler({.initial = 4, .growth_interval = 2}), other({.growth_interval = 2});
  weights.give(1, 1, kInfinite);
  scaler.unscale_(weights);
  weights.give(1, 1, 1);
  scaler.unscale_(weights);
  other.load_state(scaler.state());
  EXPECT_EQ(other.scale(), 2);
  EXPECT_EQ(other.skipped(), 1);
  other.unscale_(weights);
  EXPECT_EQ(other.scale(), 4);
  nn::StateMap state = other.state();
  state["scale"] = full({}, -1, Dtype::f64);
  EXPECT_THAT(message_of<ValueError>([&] { scaler.load_state(state); }),
              HasSubstr("the state's scale is -1"));
  EXPECT_EQ(scaler.scale(), 2);
}

TEST(LossScaler, GivesUpWhereNoScaleHelps) {
  ScaledWeights weights;
  LossScaler scaler({.initial = 0x1p-23, .backoff = 0.5});
  weights.give(1, 1, kInfinite);
  EXPECT_FALSE(scaler.unscale_(weights));
  EXPECT_THAT(message_of<NumericError>([&] { scaler.unscale_(weights); }),
              HasSubstr("not finite at any scale"));
}

TEST(LossScaler, RefusesImpossibleOptions) {
  const auto refusal = [](const LossScalerOptions& options) {
    return message_of<ValueError>([&] { LossScaler scaler(options); });
  };
  EXPECT_THAT(refusal({.initial = 0}), HasSubstr("initial scale is 0"));
  EXPECT_THAT(refusal({.initial = kInfinite}), HasSubstr("initial scale is inf"));
  EXPECT_THAT(refusal({.growth = 0.5}), HasSubstr("growth is 0.5"));
  EXPECT_THAT(refusal({.growth_interval = 0}), HasSubstr("growth_interval is 0"));
  EXPECT_THAT(refusal({.backoff = 1}), HasSubstr("backoff is 1"));
}

TEST(LossScaler, SavesGradientsThatF16WouldLose) {
  const Tensor x = full({1, 1}, 1e-4), loss_scale = full({}, 1e-4);
  Tensor weight = requires_grad_(full({1, 1}, 1));
  LossScaler scaler;
  const auto gradient = [&](bool scaled) {
    weight.set_grad({});
    Tensor loss;
    {
      const Autocast autocast(Dtype::f16);
      loss = sum(linear(x, weight)) * loss_scale;
    }
    backward(scaled ? scaler.scale(loss) : loss);
    if (scaled) {
      EXPECT_TRUE(scaler.unscale_({&weight, 1}));
    }
    return weight.grad().item();
  };
  EXPECT_EQ(gradient(false), 0);             // 1e-8 is nothing in f16
  EXPECT_NEAR(gradient(true), 1e-8, 1e-11);  // 11 bits of 1e-4, twice
}

}  // namespace
}  // namespace espalier::optim
