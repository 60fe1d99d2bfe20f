#include "optim/regularisers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/optim/test_model.h"

namespace espalier::optim {
namespace {

using test::TwoScales;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

std::vector<std::string> names(const nn::NamedTensors& tensors) {
  std::vector<std::string> result;
  for (const auto& [name, tensor] : tensors) result.push_back(name);
  return result;
}

TEST(Select, PatternsMatchDottedNames) {
  TwoScales model;
  EXPECT_THAT(names(select(model, "*")),
              ElementsAre("first.weight", "first.bias", "second.weight", "second.bias"));
  EXPECT_THAT(names(select(model, "*.weight")), ElementsAre("first.weight", "second.weight"));
  EXPECT_THAT(names(select(model, "first.*")), ElementsAre("first.weight", "first.bias"));
  EXPECT_THAT(names(select(model, "?????.b*s")), ElementsAre("first.bias"));
  EXPECT_THAT(names(select(model, "*s*t*")), ElementsAre("first.weight", "first.bias", "second.weight"));
  EXPECT_THAT(names(select(model, "first.weight")), ElementsAre("first.weight"));
}

TEST(Select, PatternWithoutAMatchListsTheNames) {
  TwoScales model;
  for (const char* pattern : {"third.*", "weight", "", "first", "first.weight?"}) {
    EXPECT_THAT([&] { select(model, pattern); },
                ThrowsMessage<ValueError>(AllOf(HasSubstr(pattern), HasSubstr("first.weight, first.bias"))));
    EXPECT_THROW(l1(model, pattern, 0.1), ValueError);
    EXPECT_THROW(l2(model, pattern, 0.1), ValueError);
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

}  // namespace
}  // namespace espalier::optim
