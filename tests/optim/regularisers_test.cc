#include "optim/regularisers.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "autograd/gradient_check.h"
#include "core/error.h"
#include "ops/copy.h"
#include "ops/subtract.h"
#include "optim/sgd.h"
#include "tests/optim/test_model.h"
#include "tests/support/message_of.h"

namespace espalier::optim {
namespace {

using test::message_of;
using test::TwoScales;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pointwise;

std::vector<std::string> names_of(const nn::NamedTensors& tensors) {
  std::vector<std::string> result;
  for (const auto& [name, tensor] : tensors) result.push_back(name);
  return result;
}

TEST(Select, PatternsMatchDottedNames) {
  TwoScales model;
  EXPECT_THAT(names_of(select(model, "*")),
              ElementsAre("first.weight", "first.bias", "second.weight", "second.bias"));
  EXPECT_THAT(names_of(select(model, "*.weight")), ElementsAre("first.weight", "second.weight"));
  EXPECT_THAT(names_of(select(model, "first.*")), ElementsAre("first.weight", "first.bias"));
  EXPECT_THAT(names_of(select(model, "?????.b*s")), ElementsAre("first.bias"));
  EXPECT_THAT(names_of(select(model, "*s*t*")), ElementsAre("first.weight", "first.bias", "second.weight"));
  EXPECT_THAT(names_of(select(model, "first.weight")), ElementsAre("first.weight"));
}

TEST(Select, PatternWithoutAMatchListsTheNames) {
  TwoScales model;
  for (const char* pattern : {"third.*", "weight", "", "first", "first.weight?"}) {
    EXPECT_THAT(message_of<ValueError>([&] { select(model, pattern); }),
                AllOf(HasSubstr(pattern), HasSubstr("first.weight, first.bias")));
    EXPECT_THROW(l1(model, pattern, 0.1), ValueError);
    EXPECT_THROW(l2(model, pattern, 0.1), ValueError);
    EXPECT_THROW(elastic_net(pattern, 0.1, 0.1)(model), ValueError);
    EXPECT_THROW((l1("*", 0.1) + group_lasso(pattern, 0.1)).proximal_step_(model, 0.1), ValueError);
  }
}

TEST(Regularisers, L1IsLambdaTimesTheSumOfMagnitudes) {
  TwoScales model;
  const Tensor term = l1(model, "*.weight", 0.5);
  EXPECT_NEAR(term.item(), 0.5 * (1 + 2 + 3 + 0.5 + 0.25 + 1), 1e-6);
  backward(term);
  EXPECT_THAT(model.first.weight.grad().to_vector<float>(), ElementsAre(0.5F, -0.5F, 0.5F));
  EXPECT_FALSE(model.first.bias.grad().defined());
}

TEST(Regularisers, L2IsLambdaTimesTheSumOfSquares) {
  TwoScales model;
  const Tensor term = l2(model, "first.*", 0.5);
  EXPECT_NEAR(term.item(), 0.5 * (1 + 4 + 9), 1e-6);
  backward(term);
  EXPECT_THAT(model.first.weight.grad().to_vector<float>(), ElementsAre(1.0F, -2.0F, 3.0F));
  EXPECT_THAT(model.first.bias.grad().to_vector<float>(), ElementsAre(0.0F, 0.0F, 0.0F));
  EXPECT_FALSE(model.second.weight.grad().defined());
}

/// A layer of the shapes that convolutions have, and a bias.
struct Layer {
  void visit(nn::Visitor& visitor) {
    visitor("weight", weight);
    visitor("bias", bias);
  }

  Tensor weight = make_parameter(
      from_values<double>({0.5, -1, 2, 0.25, 0, 0, 0, 0, -0.125, 0.5, 1, -0.5}, {3, 2, 2, 1}), "Layer");
  Tensor bias = make_parameter(from_values<double>({0.5, -2, 0}, {3}), "Layer");
};

std::vector<double> values(const Tensor& tensor) {
  return tensor.detach().to_vector<double>();
}

MATCHER(Near, "") {  // NOLINT(readability-identifier-naming): as GoogleMock's own
  return std::abs(std::get<0>(arg) - std::get<1>(arg)) <= 1e-14;
}

TEST(Regularisers, ElasticNetIsTheSumOfL1AndL2) {
  Layer layer;
  const Tensor term = elastic_net(layer, "weight", 0.25, 0.5);
  EXPECT_NEAR(term.item(), (l1(layer, "weight", 0.25) + l2(layer, "weight", 0.5)).item(), 1e-14);
  EXPECT_NEAR(term.item(), 0.25 * 5.875 + 0.5 * (5.3125 + 1.515625), 1e-14);
}

TEST(Regularisers, GroupLassoSumsTheNormsOfOutputChannels) {
  Layer layer;
  const double norms = std::sqrt(5.3125) + std::sqrt(1.515625);
  EXPECT_NEAR(group_lasso(layer, "weight", 0.25).item(), 0.25 * 2 * norms, 1e-14);
  EXPECT_NEAR(group_lasso(layer, "bias", 0.25).item(), 0.25 * 2.5, 1e-14);
  backward(group_lasso(layer, "*", 0.25));
  // 0.5 w / norm; 0 for the channel of zeros.
  const double a = 0.5 / std::sqrt(5.3125), b = 0.5 / std::sqrt(1.515625);
  EXPECT_THAT(values(layer.weight.grad()),
              Pointwise(Near(), std::vector<double>{0.5 * a, -a, 2 * a, 0.25 * a, 0, 0, 0, 0, -0.125 * b,
                                                    0.5 * b, b, -0.5 * b}));
  EXPECT_THAT(values(layer.bias.grad()), ElementsAre(0.25, -0.25, 0));
}

TEST(Regularisers, OrthogonalityIsTheDistanceOfTheGramMatrixFromTheIdentity) {
  Layer layer;
  // Rows a, 0 and b of 4 entries: a.a = 5.3125, b.b = 1.515625, a.b = 1.3125.
  const double expected = 4.3125 * 4.3125 + 1 + 0.515625 * 0.515625 + 2 * 1.3125 * 1.3125;
  EXPECT_NEAR(orthogonality(layer, "weight", 0.5).item(), 0.5 * expected, 1e-13);
  EXPECT_THAT(message_of<ShapeError>([&] { orthogonality("*", 0.5)(layer); }),
              AllOf(HasSubstr("orthogonality"), HasSubstr("f64[3]")));
  EXPECT_THAT(message_of<ValueError>([&] { orthogonality("weight", 0.5).proximal_step_(layer, 0.1); }),
              HasSubstr("no proximal step"));
}

TEST(Regularisers, GradientsOfAllTermsAgreeWithDifferences) {
  const Tensor entries = requires_grad_(
      from_values<double>({0.5, -1, 2, 0.25, 0.75, 1, -0.3, 0.2, -0.125, 0.5, 1, -0.5}, {3, 2, 2, 1}));
  const Regulariser all = l1("w", 0.3) + l2("w", 0.2) + elastic_net("w", 0.1, 0.7) + group_lasso("w", 0.4) +
                          orthogonality("w", 0.5);
  const auto f = [&](const std::vector<Tensor>& in) {
    return std::vector<Tensor>{all(nn::NamedTensors{{"w", in[0]}})};
  };
  EXPECT_EQ(check_gradients(f, {entries}), "");
  EXPECT_EQ(check_gradients(f, {entries}, {.second_order = true}), "");
}

TEST(ProximalSteps, FollowTheirFormulas) {
  const auto stepped = [](const Regulariser& regulariser, double rate) {
    Layer layer;
    regulariser.proximal_step_(layer, rate);
    EXPECT_THAT(values(layer.bias), ElementsAre(0.5, -2, 0));
    EXPECT_TRUE(layer.weight.requires_grad());
    return values(layer.weight);
  };
  EXPECT_THAT(stepped(l1("weight", 2), 0.25), ElementsAre(0, -0.5, 1.5, 0, 0, 0, 0, 0, 0, 0, 0.5, 0));
  EXPECT_THAT(stepped(l2("weight", 2), 0.25),
              ElementsAre(0.25, -0.5, 1, 0.125, 0, 0, 0, 0, -0.0625, 0.25, 0.5, -0.25));
  const std::vector<double> both = {0, -0.25, 0.75, 0, 0, 0, 0, 0, 0, 0, 0.25, 0};
  EXPECT_THAT(stepped(elastic_net("weight", 2, 2), 0.25), testing::ElementsAreArray(both));
  EXPECT_THAT(stepped(l1("weight", 2) + l2("weight", 2), 0.25), testing::ElementsAreArray(both));
  // Threshold 0.25 * 3 * sqrt(4) = 1.5, which the last channel's norm does not reach.
  const double factor = 1 - 1.5 / std::sqrt(5.3125);
  EXPECT_THAT(stepped(group_lasso("weight", 3), 0.25),
              Pointwise(Near(), std::vector<double>{0.5 * factor, -factor, 2 * factor, 0.25 * factor, 0, 0, 0,
                                                    0, 0, 0, 0, 0}));
  EXPECT_THAT(stepped(l1("weight", 2) + group_lasso("*ght", 3), 0),
              testing::ElementsAreArray(values(Layer().weight)));
}

TEST(ProximalSteps, MinimiseThePenaltyAndTheDistance) {
  // By their definition: no neighbour of the result has less.
  const double rate = 0.25;
  for (const Regulariser& regulariser :
       {l1("weight", 2), l2("weight", 2), elastic_net("weight", 1, 2), group_lasso("weight", 1),
        l1("weight", 1) + group_lasso("weight", 1)}) {
    Layer layer;
    const Tensor start = copy(layer.weight.detach());
    regulariser.proximal_step_(layer, rate);
    const std::vector<double> found = values(layer.weight);
    const auto objective = [&](const std::vector<double>& v) {
      const Tensor w = from_values(v, start.shape()), distance = w - start;
      return regulariser(nn::NamedTensors{{"weight", w}}).item() +
             sum(distance * distance).item() / (2 * rate);
    };
    for (size_t i = 0; i < found.size(); ++i) {
      for (const double step : {-1e-3, 1e-3}) {
        std::vector<double> near = found;
        near[i] += step;
        EXPECT_GT(objective(near), objective(found)) << i;
      }
    }
  }
}

TEST(ProximalSteps, WithGradientStepsFindTheMinimumAndItsZeros) {
  // The minimum of |w - b|^2 / 2 + |w| is known: the soft threshold of b.
  test::Scale model({1, 1, 1});
  const Tensor b = from_values<float>({3, 0.5F, -2}, {3});
  Sgd sgd(model, {.learning_rate = 0.25});
  for (int i = 0; i < 100; ++i) {
    const Tensor error = model.weight - b;
    sgd.zero_grad();
    backward(sum(error * error) * 0.5);
    sgd.step();
    l1("weight", 1).proximal_step_(model, sgd.learning_rate());
  }
  EXPECT_THAT(model.weight.detach().to_vector<float>(),
              ElementsAre(testing::FloatNear(2, 1e-6F), 0, testing::FloatNear(-1, 1e-6F)));
}

TEST(ProximalSteps, SmallChannelsBecomeZeroAndNanStaysNan) {
  Tensor w = from_values<float>({1e-30F, -1e-30F, NAN, 1, 1e30F, 1e30F}, {3, 2});
  group_lasso("w", 1e-3).proximal_step_(nn::NamedTensors{{"w", w}}, 0.1);
  EXPECT_THAT(w.to_vector<float>(),
              ElementsAre(0, testing::FloatEq(0), testing::IsNan(), testing::IsNan(), 1e30F, 1e30F));
  w = from_values<float>({NAN, INFINITY, -INFINITY, 1e30F, 1e-42F}, {5});
  l1("w", 1).proximal_step_(nn::NamedTensors{{"w", w}}, 0.5);
  EXPECT_THAT(w.to_vector<float>(), ElementsAre(testing::IsNan(), INFINITY, -INFINITY, 1e30F, 0));
}

TEST(ProximalSteps, WrongUsesChangeNothing) {
  Layer layer;
  EXPECT_THROW(l1("weight", -1), ValueError);
  EXPECT_THROW(elastic_net("weight", 1, INFINITY), ValueError);
  EXPECT_THROW(l1("weight", 1).proximal_step_(layer, -0.5), ValueError);
  EXPECT_THROW((l1("weight", 1) + orthogonality("weight", 1)).proximal_step_(layer, 0.5), ValueError);
  EXPECT_THROW(Regulariser("*", nullptr), ValueError);
  EXPECT_EQ(values(layer.weight), values(Layer().weight));
}

}  // namespace
}  // namespace espalier::optim
