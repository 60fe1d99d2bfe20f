#include "runtime/package.h"

#include <fstream>
#include <limits>

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
#include "ops/clamp.h"
#include "ops/copy.h"
#include "ops/cross_entropy.h"
#include "ops/multiply.h"
#include "ops/operations.h"
#include "ops/random.h"
#include "ops/relu.h"
#include "optim/adam.h"
#include "runtime/capture.h"
#include "runtime/passes.h"
#include "runtime/runner.h"
#include "tests/support/message_of.h"
#include "tests/support/temporary_folder.h"

namespace espalier::runtime {
namespace {

using espalier::test::message_of;
using espalier::test::TemporaryFolder;
using testing::HasSubstr;

std::vector<Tensor> run_graph(const Graph& graph, std::initializer_list<Tensor> inputs) {
  Runner runner(std::make_shared<const Plan>(graph));
  return runner.run(Inputs(inputs.begin(), inputs.size()));
}

void expect_same(const std::vector<Tensor>& got, const std::vector<Tensor>& expected) {
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i)
    EXPECT_EQ(got[i].to_vector<float>(), expected[i].to_vector<float>());
}

TEST(Packages, KeepTheAnswersOfModels) {
  const TemporaryFolder folder;
  manual_seed(1);
  models::ResNetCifar resnet(1);
  models::Gpt gpt(2, 32, 2, 8, 16);
  nn::eval(resnet);
  const NoGrad no_grad;
  const Tensor images = channels_last(normal({2, 3, 16, 16})), tokens = random_integers({2, 8}, 0, 16);
  const Graph graphs[] = {capture([&](const Tensor& x) { return resnet(x); }, {images}, State(resnet)),
                          capture([&](const Tensor& x) { return gpt(x); }, {tokens}, State(gpt))};
  for (const Graph& graph : graphs) {
    const Tensor& input = &graph == graphs ? images : tokens;
    const Graph optimised = optimise(freeze(graph));
    for (const Graph* saved : {&graph, &optimised}) {
      save_package(folder / "model.safetensors", *saved);
      const Graph loaded = load_package(folder / "model.safetensors").graph();
      EXPECT_EQ(to_string(loaded), to_string(*saved));
      expect_same(run_graph(loaded, {input}), run_graph(*saved, {input}));
    }
  }
}

TEST(Packages, KeepTrainingSteps) {
  const TemporaryFolder folder;
  manual_seed(1);
  nn::Linear layer(4, 3);
  optim::Adam adam(layer, {.learning_rate = 0.1});
  const Tensor x = normal({8, 4}), y = random_integers({8}, 0, 3);
  const Graph graph = capture(
      [&](const Tensor& images, const Tensor& labels) {
        const Tensor loss = cross_entropy(layer(images), labels);
        adam.zero_grad();
        backward(loss);
        adam.step();
        return loss;
      },
      {x, y}, State(layer, adam));
  save_package(folder / "step.safetensors", graph);
  const Graph loaded = load_package(folder / "step.safetensors").graph();
  Runner here(std::make_shared<const Plan>(graph)), there(std::make_shared<const Plan>(loaded));
  for (int i = 0; i < 3; ++i) {
    const Tensor inputs[] = {x, y};
    expect_same(there.run(inputs), here.run(inputs));
  }
}

TEST(Packages, HoldWeightsUnderTheirNames) {
  const TemporaryFolder folder;
  nn::Linear layer(4, 3);
  save_package(folder / "layer.safetensors",
               capture([&](const Tensor& x) { return layer(x); }, {zeros({1, 4})}, State(layer)));
  const io::Safetensors file = io::load_safetensors(folder / "layer.safetensors");
  EXPECT_EQ(file.metadata.at("format"), "espalier graph");
  EXPECT_EQ(file.tensors.at("weight").to_vector<float>(), layer.weight.to_vector<float>());
}

TEST(Packages, KeepNumbersThatAreNotFinite) {
  const TemporaryFolder folder;
  const double infinity = std::numeric_limits<double>::infinity();
  const Graph graph = capture([&](const Tensor& x) { return clamp(x, -infinity, 0.1); }, {zeros({3})});
  save_package(folder / "clamp.safetensors", graph);
  EXPECT_TRUE(attributes_of(*load_package(folder / "clamp.safetensors").graph().nodes()[0].operation) ==
              attributes_of(*graph.nodes()[0].operation));
}

/// What a file with `text` for its graph and one tensor, w: f32[2], holds.
Graph graph_of(const std::string& text) {
  const TemporaryFolder folder;
  io::save_safetensors(folder / "w.safetensors", {{"w", ones({2})}},
                       {{"format", "espalier graph"}, {"graph", text}});
  return load_package(folder / "w.safetensors").graph();
}

std::string refusal(const std::string& text) {
  return message_of<FormatError>([&] { graph_of(text); });
}

/// The text of a graph of x: f32[2], w: f32[2] and one more value.
std::string text_with(const std::string& value, const std::string& rest = R"("outputs": [2])") {
  return R"({"version": 1, "values": [{"input": "x", "dtype": "f32", "shape": [2]},
             {"state": "w", "dtype": "f32", "shape": [2]}, )" +
         value + "], \"updates\": [], \"gradients\": [], " + rest + "}";
}

std::string refusal_of(const std::string& value, const std::string& rest = R"("outputs": [2])") {
  return refusal(text_with(value, rest));
}

std::string node(const std::string& name, const std::string& inputs, const std::string& rest = "") {
  return R"({"node": ")" + name + R"(", "inputs": [)" + inputs +
         R"(], "outputs": [{"dtype": "f32", "shape": [2]}])" + rest + "}";
}

TEST(Packages, RefuseWhatIsNoGraph) {
  const TemporaryFolder folder;
  io::save_safetensors(folder / "plain.safetensors", {{"w", ones({2})}});
  EXPECT_THAT(
      message_of<FormatError>([&] { load_package(folder / "plain.safetensors"); }),
      HasSubstr("plain.safetensors] is no graph that can be read: has no metadata 'format: espalier graph'"));
  EXPECT_THAT(refusal("{"), HasSubstr("is no graph, or damaged"));
  EXPECT_THAT(refusal("[1]"), HasSubstr("is no graph, or damaged"));
  EXPECT_THAT(refusal(R"({"version": 7})"), HasSubstr("has version 7; this program reads up to 2"));
  EXPECT_THAT(refusal(R"({"version": 1.5})"), HasSubstr("'1.5' is no whole number"));
}

TEST(Packages, RefuseNodesThatDoNotFit) {
  EXPECT_EQ(graph_of(text_with(node("add", "0, 1"))).nodes().size(), 1U);
  EXPECT_THAT(refusal_of(node("add", "0, 2")), HasSubstr("node 0 (add): [graph] there is no value 2"));
  EXPECT_THAT(refusal_of(node("add", "0, 18446744073709551615")),
              HasSubstr("node 0 (add): '18446744073709551615'"));
  EXPECT_THAT(refusal_of(node("add", "0, -1")), HasSubstr("input 1 is absent"));
  EXPECT_THAT(refusal_of(node("add", "0")), HasSubstr("node 0 (add): [add] 1 inputs; expected 2"));
  EXPECT_THAT(refusal_of(node("plus", "0, 1")), HasSubstr("[plus] is no operation that this program knows"));
  EXPECT_THAT(refusal_of(node("add", "0, 1", R"(, "attributes": {"axis": 1})")),
              HasSubstr("node 0 (add): [attribute 'axis'] is unknown"));
  EXPECT_THAT(refusal_of(node("softmax", "0")), HasSubstr("[attribute 'axis'] is missing"));
  EXPECT_THAT(refusal_of(node("softmax", "0", R"(, "attributes": {"axis": "last"})")),
              HasSubstr("[attribute 'axis'] is a word; expected a whole number"));
  EXPECT_THAT(refusal_of(node("softmax", "0", R"(, "attributes": {"axis": 4})")), HasSubstr("axis 4"));
  EXPECT_THAT(refusal_of(node("dropout", "0, 1", R"(, "attributes": {"p": 2})")), HasSubstr("probability 2"));
  EXPECT_THAT(refusal_of(node("sum", "0", R"(, "attributes": {"axes": [], "keepdim": false})")),
              HasSubstr("node 0 (sum): puts out f32[], not"));
}

TEST(Packages, RefuseInputsAndStatesThatDoNotFit) {
  EXPECT_THAT(refusal_of(R"({"input": "x", "dtype": "f32", "shape": [2]})"), HasSubstr("two values 'x'"));
  EXPECT_THAT(refusal_of(R"({"input": "y", "dtype": "f31", "shape": [2]})"), HasSubstr("'f31' is no type"));
  EXPECT_THAT(refusal_of(R"({"input": "y", "dtype": "f32", "shape": [4611686018427387904, 8]})"),
              HasSubstr("shape"));
  EXPECT_THAT(refusal_of(R"({"input": "y", "dtype": "f32", "shape": [-1]})"), HasSubstr("shape"));
  EXPECT_THAT(refusal_of(R"({"input": "y", "dtype": "f32", "shape": [2, 2], "strides": [1, 9]})"),
              HasSubstr("strides [1, 9] are not those of a dense tensor [2, 2]"));
  EXPECT_THAT(refusal_of(R"({"state": "v", "dtype": "f32", "shape": [2]})"), HasSubstr("has no tensor 'v'"));
  EXPECT_THAT(refusal_of(R"({"constant": "w", "dtype": "f32", "shape": [3]})"),
              HasSubstr("tensor 'w' is f32[2]; its graph expects f32[3]"));
  EXPECT_THAT(refusal_of(node("add", "0, 1"), R"("outputs": [9])"), HasSubstr("there is no value 9"));
}

TEST(Packages, RefuseUpdatesThatDoNotFit) {
  const auto text_of = [](const std::string& pair) {
    return R"({"version": 1, "values": [{"input": "x", "dtype": "f32", "shape": [2]},
               {"state": "w", "dtype": "f32", "shape": [2]}],
               "outputs": [0], "gradients": [], "updates": [)" +
           pair + "]}";
  };
  EXPECT_EQ(graph_of(text_of("[1, 0]")).updates().size(), 1U);
  EXPECT_THAT(refusal(text_of("[0, 1]")), HasSubstr("x is no state"));
  EXPECT_THAT(refusal(text_of("[1]")), HasSubstr("is no graph, or damaged"));
}

TEST(Packages, StatesWithTheNamesOfConstantsAreRefused) {
  Graph graph;
  graph.add_state("#1", ones({2}));
  EXPECT_THAT(message_of<ValueError>([&] { save_package("unused", graph); }), HasSubstr("state '#1'"));
}

}  // namespace
}  // namespace espalier::runtime
