#include "optim/average.h"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "ops/copy.h"
#include "optim/sgd.h"
#include "tests/optim/test_model.h"
#include "tests/support/message_of.h"

namespace espalier::optim {
namespace {

using test::message_of;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Key;

/// A parameter, a running statistic and a count.
struct Counter {
  void visit(nn::Visitor& visitor) {
    visitor("weight", weight);
    visitor.buffer("mean", mean);
    visitor.buffer("count", count);
  }
  void set(double value, int64_t counted) {
    weight.detach().mutable_data<double>()[0] = value;
    mean.mutable_data<double>()[0] = 10 * value;
    count.mutable_data<int64_t>()[0] = counted;
  }

  Tensor weight = make_parameter(ones({1}, Dtype::f64), "Counter");
  Tensor mean = full({1}, 10, Dtype::f64);
  Tensor count = zeros({1}, Dtype::i64);
};

// average = torch.optim.swa_utils.get_ema_avg_fn(0.9), from 1., of 2., 3. and 5. in double precision: 1.661
TEST(WeightAverage, FollowsPyTorch) {
  Counter model;
  WeightAverage average(model, {.decay = 0.9});
  for (const double weight : {2.0, 3.0, 5.0}) {
    model.set(weight, 7);
    average.update();
  }
  const nn::StateMap state = average.state();
  EXPECT_THAT(state, ElementsAre(Key("count"), Key("mean"), Key("updates"), Key("weight")));
  EXPECT_NEAR(state.at("weight").item(), 1.661, 1e-15);
  EXPECT_EQ(state.at("mean").item(), 50);  // the model's last one
  EXPECT_EQ(state.at("count").item(), 7);
  EXPECT_EQ(state.at("updates").item(), 3);
  EXPECT_EQ(model.weight.item(), 5);
}

TEST(WeightAverage, BuffersMayBeAveragedToo) {
  Counter model;
  WeightAverage average(model, {.decay = 0.75, .average_buffers = true});
  model.set(5, 3);
  average.update();
  EXPECT_EQ(average.state().at("mean").item(), 0.75 * 10 + 0.25 * 50);
  EXPECT_EQ(average.state().at("count").item(), 3);
}

TEST(WeightAverage, WarmUpKeepsLessInTheFirstUpdates) {
  Counter model;
  WeightAverage average(model, {.decay = 0.15, .warm_up = true});
  model.set(11, 0);
  average.update();
  EXPECT_DOUBLE_EQ(average.state().at("weight").item(), 0.1 * 1 + 0.9 * 11);
  const double before = average.state().at("weight").item();
  model.set(0, 0);
  average.update();  // (1 + 1) / (10 + 1) is above the decay
  EXPECT_DOUBLE_EQ(average.state().at("weight").item(), 0.15 * before);
}

TEST(WeightAverage, SwapExchangesAndGivesBack) {
  Counter model;
  WeightAverage average(model, {.decay = 0.5});
  model.set(3, 1);
  average.update();
  model.set(4, 2);
  average.swap();
  EXPECT_TRUE(average.swapped());
  EXPECT_EQ(model.weight.item(), 2);
  EXPECT_EQ(model.count.item(), 1);
  EXPECT_TRUE(model.weight.requires_grad());
  for (const auto& misuse :
       {std::function<void()>([&] { average.update(); }), std::function<void()>([&] { average.state(); }),
        std::function<void()>([&] { average.copy_to_model(); }),
        std::function<void()>([&] { average.load_state({}); })}) {
    EXPECT_THAT(message_of<ValueError>(misuse), HasSubstr("the model holds the average"));
  }
  average.swap();
  EXPECT_EQ(model.weight.item(), 4);
  EXPECT_EQ(model.count.item(), 2);
  EXPECT_EQ(average.state().at("weight").item(), 2);
  average.copy_to_model();
  EXPECT_EQ(model.weight.item(), 2);
}

TEST(WeightAverage, GoesOnFromItsStateWithTheSameBits) {
  test::TwoScales model, later;
  const AverageOptions options{.decay = 0.9, .warm_up = true};
  WeightAverage average(model, options), other(later, options);
  Sgd sgd(model, {.learning_rate = 0.01});
  const auto train = [&] {
    sgd.zero_grad();
    test::backward_once(model);
    sgd.step();
    average.update();
  };
  for (int i = 0; i < 3; ++i) train();
  nn::StateMap saved;
  for (const auto& [name, tensor] : average.state()) saved[name] = copy(tensor);
  other.load_state(saved);
  train();
  nn::load_state(later, nn::state(model));
  other.update();
  EXPECT_EQ(other.state().at("first.weight").to_vector<float>(),
            average.state().at("first.weight").to_vector<float>());
  saved.erase("second.bias");
  EXPECT_THAT(message_of<ValueError>([&] { other.load_state(saved); }), HasSubstr("second.bias"));
}

TEST(WeightAverage, RefusesWrongOptionsAndEmptyModels) {
  Counter model;
  struct {
    void visit(nn::Visitor&) {}
  } empty;
  EXPECT_THAT(message_of<ValueError>([&] { WeightAverage(model, {.decay = 1.5}); }),
              HasSubstr("decay is 1.5"));
  EXPECT_THROW(WeightAverage(model, {.decay = std::numeric_limits<double>::quiet_NaN()}), ValueError);
  EXPECT_THAT(message_of<ValueError>([&] { WeightAverage{empty}; }), HasSubstr("no tensors"));
}

}  // namespace
}  // namespace espalier::optim
