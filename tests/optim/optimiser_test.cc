#include "optim/optimiser.h"

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

using test::backward_once;
using test::kInfinity;
using test::kNan;
using test::message_of;
using test::Scale;
using test::TwoScales;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

/// A layer whose visit forgot the bias.
struct Forgetful : Scale {
  using Scale::Scale;
  void visit(nn::Visitor& visitor) { visitor("weight", weight); }
};

TEST(Optimiser, RefusesToStepWhereVisitForgotAMember) {
  Forgetful model({1, 2, 3});
  Sgd sgd(model, {.learning_rate = 0.1});
  backward_once(model);
  const std::vector<float> before = model.weight.to_vector<float>();
  EXPECT_THAT(message_of<GradientError>([&] { sgd.step(); }), AllOf(HasSubstr("Scale"), HasSubstr("visit")));
  EXPECT_EQ(model.weight.to_vector<float>(), before);
}

TEST(Optimiser, FrozenAndHandMadeTensorsAreNotForgotten) {
  Forgetful model({1, 2, 3});
  requires_grad_(model.bias, false);
  const Tensor own = requires_grad_(ones({3}));
  Sgd sgd(model, {.learning_rate = 0.1});
  backward(sum(model(from_values<float>({1, 2, 3}, {3})) * own));
  sgd.step();
  EXPECT_EQ(model.bias.to_vector<float>(), std::vector<float>({0, 0, 0}));
}

TEST(Optimiser, ParametersOfAnotherOptimiserAreNotForgotten) {
  TwoScales model;
  Sgd one(model.first, {.learning_rate = 0.1});
  Adam other(model.second);
  backward_once(model);
  one.step();
  other.step();
}

TEST(Optimiser, ParametersWithoutGradientStayAsTheyAre) {
  TwoScales model;
  AdamW adamw(model);
  backward_once(model.second);
  adamw.step();
  EXPECT_EQ(model.first.weight.to_vector<float>(), std::vector<float>({1, -2, 3}));
  EXPECT_EQ(adamw.state().at("first.weight.step").item(), 0);
  EXPECT_EQ(adamw.state().at("second.weight.step").item(), 1);
}

TEST(Optimiser, DropsGradients) {
  TwoScales model;
  Sgd sgd(model, {.learning_rate = 0.1});
  backward_once(model);
  EXPECT_TRUE(model.first.weight.grad().defined());
  sgd.zero_grad();
  for (const Tensor& parameter : sgd.parameters()) EXPECT_FALSE(parameter.grad().defined());
}

TEST(Optimiser, LearningRateCanBeChanged) {
  Scale model({1, 1, 1});
  Sgd sgd(model, {.learning_rate = 0.5});
  EXPECT_EQ(sgd.learning_rate(), 0.5);
  sgd.set_learning_rate(0.25);
  EXPECT_EQ(sgd.learning_rate(), 0.25);
  model.weight.set_grad(ones({3}));
  sgd.step();
  EXPECT_EQ(model.weight.to_vector<float>(), std::vector<float>({0.75, 0.75, 0.75}));
  for (const float wrong : {kNan, -0.1F, kInfinity}) {
    EXPECT_THAT(message_of<ValueError>([&] { sgd.set_learning_rate(wrong); }),
                AllOf(HasSubstr("Sgd"), HasSubstr("learning rate")));
  }
  EXPECT_EQ(sgd.learning_rate(), 0.25);
}

TEST(Optimiser, RefusesWrongParameters) {
  const Tensor a = requires_grad_(ones({2}));
  const SgdOptions options{.learning_rate = 0.1};
  EXPECT_THAT(message_of<ValueError>([&] { Sgd(nn::NamedTensors{}, options); }), HasSubstr("visit()"));
  EXPECT_THAT(message_of<ValueError>([&] { Sgd({{"a", Tensor()}}, options); }), HasSubstr("a is undefined"));
  EXPECT_THAT(message_of<ValueError>([&] { Sgd({{"a", a}, {"a", requires_grad_(ones({2}))}}, options); }),
              HasSubstr("a was given twice"));
  EXPECT_THAT(message_of<ValueError>([&] { Sgd({{"a", a}, {"b", a}}, options); }), HasSubstr("another name"));
  EXPECT_THAT(message_of<GradientError>([&] { Sgd({{"a", a * a}}, options); }), HasSubstr("not a leaf"));
}

nn::StateMap copies(const nn::StateMap& state) {
  nn::StateMap result;
  for (const auto& [name, tensor] : state) result[name] = copy(tensor);
  return result;
}

std::vector<std::string> names(const nn::StateMap& state) {
  std::vector<std::string> result;
  for (const auto& [name, tensor] : state) result.push_back(name);
  return result;
}

TEST(Optimiser, StateIsNamedAsPyTorchNamesIt) {
  Scale model({1, 2, 3});
  EXPECT_THAT(names(Sgd(model, {.learning_rate = 0.1}).state()), ElementsAre("learning_rate"));
  EXPECT_THAT(names(Sgd(model, {.learning_rate = 0.1, .momentum = 0.9}).state()),
              ElementsAre("bias.momentum_buffer", "learning_rate", "momentum", "weight.momentum_buffer"));
  EXPECT_THAT(names(Adam(model).state()),
              ElementsAre("beta1", "bias.exp_avg", "bias.exp_avg_sq", "bias.step", "learning_rate",
                          "weight.exp_avg", "weight.exp_avg_sq", "weight.step"));
}

TEST(Optimiser, TrainingGoesOnFromItsState) {
  TwoScales model;
  Adam adam(model, {.learning_rate = 0.05});
  const auto train = [](TwoScales& net, Adam& optimiser) {
    for (int step = 0; step < 3; ++step) {
      optimiser.zero_grad();
      backward_once(net);
      optimiser.step();
    }
    return net.first.weight.to_vector<float>();
  };
  train(model, adam);
  TwoScales later = nn::clone(model);
  Adam other(later, {.learning_rate = 0.5});
  other.load_state(copies(adam.state()));
  EXPECT_EQ(other.learning_rate(), 0.05);
  EXPECT_EQ(train(later, other), train(model, adam));
}

TEST(Optimiser, StateThatDoesNotFitIsRefusedAsAWhole) {
  Scale model({1, 2, 3});
  Sgd sgd(model, {.learning_rate = 0.1, .momentum = 0.9});
  nn::StateMap wrong = copies(sgd.state());
  wrong["learning_rate"] = full({}, 0.7, Dtype::f64);
  wrong["weight.momentum_buffer"] = zeros({4});
  wrong.erase("bias.momentum_buffer");
  wrong["bias.exp_avg"] = zeros({3});
  EXPECT_THAT(message_of<ValueError>([&] { sgd.load_state(wrong); }),
              AllOf(HasSubstr("bias.momentum_buffer"), HasSubstr("bias.exp_avg"), HasSubstr("f32[4]"),
                    HasSubstr("f32[3]")));
  EXPECT_EQ(sgd.learning_rate(), 0.1);
  nn::StateMap bad_rate = copies(sgd.state());
  bad_rate["learning_rate"] = full({}, kNan, Dtype::f64);
  EXPECT_THAT(message_of<ValueError>([&] { sgd.load_state(bad_rate); }), HasSubstr("learning rate is nan"));
  EXPECT_EQ(sgd.learning_rate(), 0.1);
}

}  // namespace
}  // namespace espalier::optim
