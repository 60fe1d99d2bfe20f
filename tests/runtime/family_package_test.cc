// Packages that hold graphs of any sizes along some axes.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "core/create.h"
#include "core/error.h"
#include "io/safetensors.h"
#include "models/gpt.h"
#include "models/resnet_cifar.h"
#include "nn/linear.h"
#include "nn/state.h"
#include "ops/add.h"
#include "ops/cast.h"
#include "ops/copy.h"
#include "ops/cross_entropy.h"
#include "ops/multiply.h"
#include "ops/random.h"
#include "optim/sgd.h"
#include "runtime/package.h"
#include "runtime/passes.h"
#include "runtime/runner.h"
#include "tests/support/message_of.h"
#include "tests/support/temporary_folder.h"

namespace espalier::runtime {
namespace {

using espalier::test::message_of;
using espalier::test::TemporaryFolder;
using testing::HasSubstr;

std::vector<float> answers_of(const Graph& graph, const std::vector<Tensor>& inputs) {
  return Runner(std::make_shared<const Plan>(graph)).run(inputs)[0].to_vector<float>();
}

GraphFamily saved_and_loaded(const GraphFamily& family) {
  const TemporaryFolder folder;
  save_package(folder / "family.safetensors", family);
  return load_package(folder / "family.safetensors").graphs;
}

Graph improved(const Graph& graph) {
  return optimise(freeze(graph));
}

TEST(FamilyPackages, HoldModelsForAnyBatch) {
  manual_seed(1);
  models::ResNetCifar net(1);
  nn::eval(net);
  const NoGrad no_grad;
  const GraphFamily family = capture_family([&](const Tensor& x) { return net(x); }, {{"batch", 0, 0}},
                                            {channels_last(zeros({4, 3, 16, 16}))}, State(net))
                                 .map(improved);
  const GraphFamily loaded = saved_and_loaded(family);
  EXPECT_EQ(loaded.example_sizes(), (Sizes{{"batch", 4}}));
  for (const int64_t batch : {1, 3, 10}) {
    const Tensor x = channels_last(normal({batch, 3, 16, 16}));
    const Graph here = family.at({{"batch", batch}}), there = loaded.at({{"batch", batch}});
    EXPECT_EQ(there, here);
    EXPECT_EQ(answers_of(there, {x}), answers_of(here, {x}));
  }
}

TEST(FamilyPackages, HoldModelsForAnyBatchAndLength) {
  models::Gpt gpt(1, 16, 2, 12, 16);
  const NoGrad no_grad;
  const GraphFamily family =
      capture_family([&](const Tensor& x) { return gpt(x); }, {{"batch", 0, 0}, {"time", 0, 1}},
                     {zeros({4, 8}, Dtype::i64)}, State(gpt));
  const GraphFamily loaded = saved_and_loaded(family);
  ASSERT_EQ(loaded.corners().size(), 4U);
  EXPECT_EQ(loaded.at({{"batch", 2}, {"time", 12}}), family.at({{"batch", 2}, {"time", 12}}));
}

TEST(FamilyPackages, HoldTrainingStepsForAnyBatch) {
  manual_seed(1);
  nn::Linear layer(4, 3);
  optim::Sgd sgd(layer, {.learning_rate = 0.1, .momentum = 0.9});
  const auto step = [&](const Tensor& x, const Tensor& y) {
    const Tensor loss = cross_entropy(layer(x), y);
    sgd.zero_grad();
    backward(loss);
    sgd.step();
    return loss;
  };
  const GraphFamily family = capture_family(step, {{"batch", 0, 0}, {"batch", 1, 0}},
                                            {zeros({8, 4}), zeros({8}, Dtype::i64)}, State(layer, sgd));
  const GraphFamily loaded = saved_and_loaded(family);
  // Steps of different sizes go on from one another: they change the same states.
  for (const int64_t batch : {5, 8, 5}) {
    const std::vector<Tensor> inputs = {normal({batch, 4}), random_integers({batch}, 0, 3)};
    EXPECT_EQ(answers_of(loaded.at({{"batch", batch}}), inputs),
              answers_of(family.at({{"batch", batch}}), inputs));
  }
}

TEST(FamilyPackages, HoldConstantsThatGrow) {
  const auto f = [](const Tensor& x) {
    return x + ones(x.shape()) * 0.5 + cast(arange(x.size(0)), Dtype::f32);
  };
  const GraphFamily loaded = saved_and_loaded(capture_family(f, {{"n", 0, 0}}, {zeros({5})}));
  EXPECT_EQ(answers_of(loaded.at({{"n", 3}}), {zeros({3})}), (std::vector<float>{0.5F, 1.5F, 2.5F}));
}

TEST(FamilyPackages, HoldWeightsOnce) {
  const TemporaryFolder folder;
  models::ResNetCifar net(1);
  nn::eval(net);
  const NoGrad no_grad;
  const auto f = [&](const Tensor& x) { return net(x); };
  const Tensor images = zeros({4, 3, 32, 32});
  save_package(folder / "one", improved(capture(f, {images}, State(net))));
  save_package(folder / "any", capture_family(f, {{"batch", 0, 0}}, {images}, State(net)).map(improved));
  const io::Safetensors one = io::load_safetensors(folder / "one"),
                        any = io::load_safetensors(folder / "any");
  EXPECT_EQ(any.tensors.size(), one.tensors.size());
  // Programs before families read graphs of one size.
  EXPECT_THAT(one.metadata.at("graph"), HasSubstr(R"({"version":1,"values")"));
  EXPECT_THAT(any.metadata.at("graph"),
              HasSubstr(R"({"version":2,"axes":[{"name":"batch","input":0,"axis":0}],"values")"));
}

/// x: f32[rows, 2], flat, of which c, two numbers and then three, has a place for each row.
constexpr std::string_view kFlat = R"({"version": 2,
  "axes": [{"name": "rows", "input": 0, "axis": 0}],
  "values": [{"input": "x", "dtype": "f32", "shape": [{"by corner": [2, 3]}, 2]},
             {"constant": {"by corner": ["#1", "#2"]}, "dtype": "f32", "shape": [{"by corner": [2, 3]}]},
             {"node": "reshape", "inputs": [0], "attributes": {"shape": [{"by corner": [4, 6]}]},
              "outputs": [{"dtype": "f32", "shape": [{"by corner": [4, 6]}]}]}],
  "outputs": [2, 1], "updates": [], "gradients": []})";

/// The text of kFlat with the first `old` in it replaced.
std::string flat_with(std::string_view old = "", std::string_view now = "") {
  std::string text(kFlat);
  const size_t place = text.find(old);
  EXPECT_NE(place, text.npos) << old;
  return text.replace(place, old.size(), now);
}

GraphFamily family_of(const std::string& text) {
  const TemporaryFolder folder;
  io::save_safetensors(folder / "flat.safetensors",
                       {{"#1", from_values<float>({0, 1}, {2})},
                        {"#2", from_values<float>({0, 1, 2}, {3})},
                        {"#3", from_values<float>({0, 1, 5}, {3})}},
                       {{"format", "espalier graph"}, {"graph", text}});
  return load_package(folder / "flat.safetensors").graphs;
}

std::string refusal_with(std::string_view old, std::string_view now) {
  const std::string text = flat_with(old, now);
  const std::string message = message_of<FormatError>([&] { family_of(text); });
  EXPECT_EQ(message.find('\n'), message.npos) << message;
  return message;
}

TEST(FamilyPackages, AreReadAsTheyAreDescribed) {
  const GraphFamily family = family_of(flat_with());
  EXPECT_EQ(family.example_sizes(), (Sizes{{"rows", 2}}));
  const Graph graph = family.at({{"rows", 5}});
  EXPECT_EQ(graph.value(graph.outputs()[0]).type.shape(), Shape{10});
  EXPECT_EQ(graph.value(graph.outputs()[1]).tensor.to_vector<float>(), (std::vector<float>{0, 1, 2, 3, 4}));
}

TEST(FamilyPackages, RefuseAxesThatDoNotFit) {
  EXPECT_THAT(refusal_with(R"("version": 2)", R"("version": 3)"), HasSubstr("reads up to 2"));
  EXPECT_THAT(refusal_with(R"("axis": 0)", R"("axis": 2)"), HasSubstr("no axis 2 of input 0"));
  EXPECT_THAT(refusal_with(R"("input": 0)", R"("input": 1)"), HasSubstr("no axis 0 of input 1"));
  EXPECT_THAT(refusal_with(R"("input": 0)", R"("input": -1)"), HasSubstr("no input or axis -1"));
  EXPECT_THAT(refusal_with(R"("input": 0)", R"("input": 4294967296)"),
              HasSubstr("no input or axis 4294967296"));
  EXPECT_THAT(refusal_with(R"("name": "rows")", R"("name": "")"), HasSubstr("has no name"));
  EXPECT_THAT(
      refusal_with(R"({"name": "rows", "input": 0, "axis": 0})",
                   R"({"name": "rows", "input": 0, "axis": 0}, {"name": "rows", "input": 0, "axis": 0})"),
      HasSubstr("axis 0 of input 0 stands twice"));
  EXPECT_THAT(refusal_with(R"({"name": "rows", "input": 0, "axis": 0})",
                           R"({"name": "a", "input": 0, "axis": 0}, {"name": "b", "input": 0, "axis": 1},
                              {"name": "c", "input": 0, "axis": 0}, {"name": "d", "input": 0, "axis": 0},
                              {"name": "e", "input": 0, "axis": 0})"),
              HasSubstr("has 5 names of free axes; expected at most 4"));
  EXPECT_THAT(refusal_with(R"("axes": [{"name": "rows", "input": 0, "axis": 0}],)", ""),
              HasSubstr("is no whole number"));
}

TEST(FamilyPackages, RefuseCornersThatDoNotFit) {
  EXPECT_THAT(refusal_with("[2, 3]}, 2]", "[2, 2]}, 2]"), HasSubstr("node 0 (reshape), corner 1: "));
  EXPECT_THAT(refusal_with("[2, 3]}, 2]", "[0, 3]}, 2]"), HasSubstr("node 0 (reshape), corner 0: "));
  EXPECT_THAT(refusal_with("[2, 3]}, 2]", "[2, -3]}, 2]"), HasSubstr("negative size"));
  EXPECT_THAT(refusal_with("[2, 3]}, 2]", "[2, 9223372036854775807]}, 2]"), HasSubstr("64 bits"));
  EXPECT_THAT(refusal_with("[2, 3]}, 2]", "[2, 3, 4]}, 2]"),
              HasSubstr("has no list of 2, one for each corner"));
  EXPECT_THAT(refusal_with("[2, 3]}, 2]", "5}, 2]"), HasSubstr("has no list of 2"));
  EXPECT_THAT(refusal_with("{\"shape\": [{\"by corner\": [4, 6]}]}", "{\"shape\": [{\"by corner\": [4]}]}"),
              HasSubstr("node 0 (reshape), corner 0: "));
  EXPECT_THAT(
      refusal_with("{\"shape\": [{\"by corner\": [4, 6]}]}", "{\"shape\": {\"by corner\": [[4], [6, 1]]}}"),
      HasSubstr("node 0 (reshape), corner 1: "));
  EXPECT_THAT(refusal_with(R"("inputs": [0])", R"("inputs": [{"by corner": [0, 1]}])"),
              HasSubstr("node 0 (reshape), corner 1: "));
  EXPECT_THAT(refusal_with(R"("input": "x")", R"("input": {"by corner": ["x", "y"]})"),
              HasSubstr("takes another way: x, f32[2, 2], is y, f32[3, 2], there"));
  EXPECT_THAT(refusal_with(R"("#1", "#2")", R"("#1", "#3")"),
              HasSubstr("#1, of f32[2], differs from size to size"));
}

TEST(FamilyPackages, RefuseWhatGrowsByNoRule) {
  // Whole numbers only: from 2 and 4 rows, those for 3 are known, and those for others follow.
  std::string text = flat_with("[2, 3]}, 2]", "[2, 4]}, 2]");
  for (const size_t at : {text.find("[4, 6]"), text.rfind("[4, 6]")}) text.replace(at, 6, "[4, 8]");
  const GraphFamily even = family_of(text);
  EXPECT_THAT(message_of<ValueError>([&] { even.at({{"rows", 3}}); }),
              HasSubstr("of f32[2], would be no whole number"));
}

TEST(FamilyPackages, RefuseJsonThatIsNestedTooDeeply) {
  EXPECT_THAT(refusal_with("[2, 3]}, 2]", std::string(100000, '[')), HasSubstr("is nested too deeply"));
}

}  // namespace
}  // namespace espalier::runtime
