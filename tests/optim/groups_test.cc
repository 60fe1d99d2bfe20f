#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "ops/copy.h"
#include "optim/adam.h"
#include "optim/sgd.h"
#include "tests/optim/test_model.h"
#include "tests/support/message_of.h"

namespace espalier::optim {
namespace {

using test::backward_once;
using test::message_of;
using test::TwoScales;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Key;

TEST(Groups, FollowPyTorch) {
  // a, b = (torch.nn.Parameter(torch.tensor([x])) for x in (1.5, -0.75))
  // optimiser = torch.optim.AdamW([{'params': [a]}, {'params': [b], 'weight_decay': 0., 'lr': 0.1,
  //     'betas': (0.5, 0.9)}], lr=0.05, weight_decay=0.2)
  // for _ in range(10): a.grad, b.grad = a.detach() ** 3, b.detach() ** 3; optimiser.step()
  const Tensor weight = requires_grad_(from_values<double>({1.5}, {1}));
  const Tensor bias = requires_grad_(from_values<double>({-0.75}, {1}));
  const AdamWOptions own{.learning_rate = 0.1, .beta1 = 0.5, .beta2 = 0.9, .weight_decay = 0};
  AdamW adamw(nn::NamedTensors{{"a.weight", weight}, {"a.bias", bias}},
              {.learning_rate = 0.05, .weight_decay = 0.2}, {{{"*.bias"}, own}});
  for (int step = 0; step < 10; ++step) {
    for (Tensor parameter : {weight, bias}) {
      const double w = parameter.item();
      parameter.set_grad(from_values<double>({w * w * w}, {1}));
    }
    adamw.step();
  }
  EXPECT_NEAR(weight.item(), 0.9132299716772436, 2e-14);
  EXPECT_NEAR(bias.item(), -0.22949765493039873, 2e-14);
}

TEST(Groups, ParametersGoWhereTheirNamesMatch) {
  TwoScales model;
  const Adam adam(model, {}, {{{"second.w*", "first.bias"}, {.learning_rate = 0.5}}, {{"second.bias"}, {}}});
  EXPECT_THAT(adam.names(), ElementsAre("first.weight", "first.bias", "second.weight", "second.bias"));
  EXPECT_THAT(adam.groups(), ElementsAre(0, 1, 1, 2));
  EXPECT_EQ(adam.group_count(), 3);
  EXPECT_EQ(adam.learning_rate(), 1e-3);
  EXPECT_EQ(adam.learning_rate(1), 0.5);
}

TEST(Groups, MistakesAreNamed) {
  TwoScales model;
  const auto made = [&](const Groups<SgdOptions>& groups) {
    return [&model, groups] { Sgd(model, {.learning_rate = 0.1}, groups); };
  };
  EXPECT_THAT(message_of<ValueError>(made({{{"*.weight", "third.*"}, {.learning_rate = 1}}})),
              AllOf(HasSubstr("[Sgd] no parameter matches \"third.*\" (group 1)"),
                    HasSubstr("first.weight, first.bias, second.weight, second.bias")));
  EXPECT_THAT(message_of<ValueError>(
                  made({{{"first.*"}, {.learning_rate = 1}}, {{"*.weight"}, {.learning_rate = 1}}})),
              HasSubstr("in two groups: first.weight (groups 1 and 2)"));
  EXPECT_THAT(message_of<ValueError>(made({{{}, {.learning_rate = 1}}})),
              AllOf(HasSubstr("group 1 has no patterns"), HasSubstr("first.bias")));
  EXPECT_THAT(message_of<ValueError>(made({{{"first.*"}, {.learning_rate = -1}}})),
              HasSubstr("learning rate is -1"));
  EXPECT_THAT(message_of<ValueError>(made({{{"first.*"}, {.learning_rate = 1, .momentum = -1}}})),
              HasSubstr("momentum is -1"));
  // Twice in one group is no mistake, and a group may have all.
  made({{{"first.*", "*.weight"}, {.learning_rate = 1}}})();
  made({{{"*"}, {.learning_rate = 1}}})();
}

TEST(Groups, RatesAndMomentaAreTheirOwn) {
  TwoScales model;
  Sgd sgd(model, {.learning_rate = 0.1}, {{{"second.*"}, {.learning_rate = 0.2, .momentum = 0.9}}});
  EXPECT_THAT(sgd.state(),
              ElementsAre(Key("groups.1.learning_rate"), Key("groups.1.momentum"), Key("learning_rate"),
                          Key("second.bias.momentum_buffer"), Key("second.weight.momentum_buffer")));
  EXPECT_FALSE(sgd.has_momentum());
  EXPECT_TRUE(sgd.has_momentum(1));
  sgd.set_learning_rate(0.3, 1);
  sgd.set_momentum(0.5, 1);
  EXPECT_EQ(sgd.learning_rate(), 0.1);
  EXPECT_EQ(sgd.learning_rate(1), 0.3);
  EXPECT_EQ(sgd.momentum(1), 0.5);
  EXPECT_THAT(message_of<ValueError>([&] { sgd.learning_rate(2); }), HasSubstr("no group 2; there are 2"));
  EXPECT_THAT(message_of<ValueError>([&] { sgd.set_momentum(0.5); }), HasSubstr("group 0 has no momentum"));
  EXPECT_THAT(message_of<ValueError>([&] { sgd.set_momentum(-1, 1); }), HasSubstr("momentum is -1"));
  Adam adam(model);
  EXPECT_THAT(message_of<ValueError>([&] { adam.set_momentum(1); }), HasSubstr("beta1 is 1"));
  EXPECT_EQ(adam.momentum(), 0.9);
}

TEST(Groups, MomentumCanBeChanged) {
  const Tensor w = requires_grad_(ones({1}));
  Sgd sgd({{"w", w}}, {.learning_rate = 1, .momentum = 0.5});
  Tensor(w).set_grad(ones({1}));
  sgd.step();
  EXPECT_EQ(w.item(), 0);  // velocity 1
  sgd.set_momentum(0.25);
  sgd.step();
  EXPECT_EQ(w.item(), -1.25);  // velocity 0.25 + 1
}

TEST(Groups, StateGoesOnAndMistakesInItAreRefused) {
  TwoScales model, later = nn::clone(model);
  const Groups<SgdOptions> groups = {{{"*.weight"}, {.learning_rate = 0.02, .momentum = 0.9}}};
  Sgd sgd(model, {.learning_rate = 0.01}, groups), other(later, {.learning_rate = 0.5}, groups);
  sgd.set_momentum(0.8, 1);
  nn::StateMap state;
  for (const auto& [name, tensor] : sgd.state()) state[name] = copy(tensor);
  other.load_state(state);
  for (int step = 0; step < 3; ++step) {
    backward_once(model);
    backward_once(later);
    sgd.step();
    other.step();
  }
  EXPECT_EQ(later.first.weight.to_vector<float>(), model.first.weight.to_vector<float>());
  EXPECT_EQ(other.momentum(1), 0.8);
  state["groups.1.momentum"] = full({}, -1, Dtype::f64);
  state["learning_rate"] = full({}, 0.7, Dtype::f64);
  EXPECT_THAT(message_of<ValueError>([&] { sgd.load_state(state); }), HasSubstr("groups.1.momentum is -1"));
  EXPECT_EQ(sgd.learning_rate(), 0.01);
}

}  // namespace
}  // namespace espalier::optim
