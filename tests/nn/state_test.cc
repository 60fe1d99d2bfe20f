#include "nn/state.h"

#include <optional>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "core/error.h"
#include "nn/batch_norm2d.h"
#include "nn/linear.h"
#include "nn/sequential.h"
#include "nn/summary.h"
#include "ops/copy.h"
#include "ops/relu.h"
#include "ops/sum.h"
#include "tests/support/message_of.h"

namespace espalier::nn {
namespace {

using test::message_of;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

/// Children of each kind, and an output layer that shares the first one's weights.
struct Model {
  Model() { out.weight = layers[0].weight; }
  Tensor operator()(const Tensor& x) const { return out(layers[1](layers[0](x))); }
  void visit(Visitor& visitor) {
    visitor("layers", layers);
    visitor("norm", norm);
    visitor("missing", missing);
    visitor("out", out);
  }

  std::vector<Linear> layers{Linear(3, 3), Linear(3, 3, false)};
  std::optional<BatchNorm2d> norm{3};
  std::optional<Linear> missing;
  Linear out{3, 3, false};
};

std::vector<std::string> names(const NamedTensors& tensors) {
  std::vector<std::string> result;
  for (const auto& [name, tensor] : tensors) result.push_back(name);
  return result;
}

StateMap copies(const StateMap& state) {
  StateMap result;
  for (const auto& [name, tensor] : state) result.emplace(name, copy(tensor));
  return result;
}

TEST(State, NamesAreDottedAndTiedTensorsComeOnce) {
  Model model;
  EXPECT_THAT(names(named_parameters(model)),
              ElementsAre("layers.0.weight", "layers.0.bias", "layers.1.weight", "norm.weight", "norm.bias"));
  EXPECT_EQ(parameters(model).size(), 5U);
  const StateMap kept = state(model);
  EXPECT_EQ(kept.size(), 7U);
  EXPECT_TRUE(kept.contains("norm.running_var"));
  EXPECT_FALSE(kept.contains("out.weight"));
  EXPECT_FALSE(kept.at("layers.0.weight").requires_grad());
  std::string tied;
  for (const StateEntry& entry : entries(model)) {
    if (!entry.tied_to.empty()) tied += entry.name + " is " + entry.tied_to + ". ";
  }
  EXPECT_EQ(tied, "out.weight is layers.0.weight. ");
}

TEST(LoadState, CopiesValuesIntoTheModel) {
  Model source, target;
  const Tensor weight = target.layers[0].weight;
  load_state(target, state(source));
  EXPECT_EQ(target.layers[0].weight.to_vector<float>(), source.layers[0].weight.to_vector<float>());
  EXPECT_TRUE(weight.is(target.layers[0].weight));  // optimisers keep their hold on it
  EXPECT_TRUE(target.layers[0].weight.requires_grad());
}

TEST(LoadState, ConvertsTypes) {
  Linear layer(2, 1, false);
  load_state(layer, {{"weight", from_values<double>({0.5, -2}, {1, 2})}});
  EXPECT_THAT(layer.weight.to_vector<float>(), ElementsAre(0.5F, -2.0F));
}

TEST(LoadState, TiedTensorsMayComeUnderAnyName) {
  Model source, target;
  StateMap kept = copies(state(source));
  kept["out.weight"] = kept.extract("layers.0.weight").mapped();
  load_state(target, kept);
  EXPECT_EQ(target.layers[0].weight.to_vector<float>(), source.layers[0].weight.to_vector<float>());
}

TEST(LoadState, PassesOverWhatPyTorchKeepsBesides) {
  Model model;
  StateMap kept = copies(state(model));
  kept["norm.num_batches_tracked"] = zeros({}, Dtype::i64);
  load_state(model, kept);
  kept["layers.0.num_batches_tracked"] = zeros({}, Dtype::i64);
  EXPECT_THROW(load_state(model, kept), ValueError);
}

TEST(LoadState, ListsAllProblemsAndChangesNothing) {
  Model model;
  StateMap wrong = copies(state(model));
  wrong["layers.0.bias"] = zeros({4});
  wrong["norm.bias"] = Tensor();
  wrong.erase("layers.1.weight");
  wrong["fc.weight"] = zeros({2});
  wrong["norm.weight"] = full({3}, 7.0);
  EXPECT_THAT(message_of<ValueError>([&] { load_state(model, wrong); }),
              AllOf(HasSubstr("layers.0.bias is f32[4], the model has f32[3]"),
                    HasSubstr("norm.bias is undefined"), HasSubstr("layers.1.weight is missing"),
                    HasSubstr("fc.weight is not in the model"), Not(HasSubstr("\n"))));
  EXPECT_THAT(model.norm->weight.to_vector<float>(),  // NOLINT(bugprone-unchecked-optional-access)
              ElementsAre(1, 1, 1));
}

TEST(Clone, IsDeepAndKeepsWhatIsTied) {
  Model model;
  requires_grad_(model.layers[1].weight, false);
  const Tensor x = ones({2, 3});
  Model other = clone(model);
  EXPECT_EQ(other(x).to_vector<float>(), model(x).to_vector<float>());
  EXPECT_TRUE(other.out.weight.is(other.layers[0].weight));
  EXPECT_FALSE(other.out.weight.is(model.out.weight));
  EXPECT_FALSE(other.layers[1].weight.requires_grad());

  const std::vector<float> before = model.layers[0].weight.to_vector<float>();
  copy_(other.layers[0].weight.detach(), zeros({3, 3}));
  EXPECT_EQ(model.layers[0].weight.to_vector<float>(), before);
  backward(sum(other(x)));
  EXPECT_TRUE(other.layers[0].weight.grad().defined());
  EXPECT_FALSE(model.layers[0].weight.grad().defined());
}

TEST(Clone, ReachesIntoSequentials) {
  const Sequential model(Linear(3, 2), relu, Linear(2, 1));
  Sequential other = clone(model);
  const Tensor x = ones({1, 3});
  const std::vector<float> before = model(x).to_vector<float>();
  EXPECT_EQ(other(x).to_vector<float>(), before);
  for (const Tensor& parameter : parameters(other)) copy_(parameter.detach(), zeros(parameter.shape()));
  EXPECT_EQ(model(x).to_vector<float>(), before);
}

TEST(Summary, TellsShapesSizesAndWhatIsTied) {
  Model model;
  requires_grad_(model.layers[1].weight, false);
  const std::string table = summary(model);
  EXPECT_THAT(table, AllOf(HasSubstr("layers.0.weight"), HasSubstr("f32[3, 3]"), HasSubstr("frozen"),
                           HasSubstr("is layers.0.weight"), HasSubstr("buffer")));
  // 9 + 3 + 9 + 3 + 3 parameters, the tied ones once; 18 of them trained; 33 numbers with the buffers.
  EXPECT_THAT(table, AllOf(HasSubstr("27"), HasSubstr("18 trained"), HasSubstr("132 B")));
}

}  // namespace
}  // namespace espalier::nn
