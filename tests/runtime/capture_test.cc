#include "runtime/capture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "core/create.h"
#include "core/error.h"
#include "nn/linear.h"
#include "ops/accumulate.h"
#include "ops/add.h"
#include "ops/copy.h"
#include "ops/multiply.h"
#include "ops/random.h"
#include "ops/relu.h"
#include "ops/reshape.h"
#include "ops/slice.h"
#include "ops/sum.h"
#include "runtime/runner.h"
#include "tests/support/message_of.h"

namespace espalier::runtime {
namespace {

using espalier::test::message_of;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<Tensor> run(const Graph& graph, std::initializer_list<Tensor> inputs) {
  Runner runner(std::make_shared<const Plan>(graph));
  return runner.run(Inputs(inputs.begin(), inputs.size()));
}

TEST(Capture, ReadsLikeTheFunction) {
  nn::Linear hidden(3, 4);
  const Graph graph =
      capture([&](const Tensor& x) { return relu(hidden(x)); }, {zeros({2, 3})}, State(hidden));
  EXPECT_EQ(to_string(graph),
            "inputs: input0: f32[2, 3]\n"
            "state: weight: f32[4, 3], bias: f32[4]\n"
            "%3 = linear(input0, weight, bias): f32[2, 4]\n"
            "%4 = relu(%3): f32[2, 4]\n"
            "outputs: %4\n");
}

TEST(Capture, LeavesTheStateAsItWas) {
  nn::Linear layer(3, 4);
  layer.weight.set_grad(ones({4, 3}));
  const std::vector<float> before = layer.weight.to_vector<float>();
  const Tensor gradient = layer.weight.grad();
  capture(
      [&](const Tensor& x) {
        layer.weight.set_grad({});
        backward(sum(layer(x)));
        const NoGrad no_grad;
        copy_(layer.bias, layer.weight.grad().defined() ? sum(layer.weight, {1}) : layer.bias);
      },
      {zeros({2, 3})}, State(layer));
  EXPECT_EQ(layer.weight.device(), kCpu);
  EXPECT_EQ(layer.weight.to_vector<float>(), before);
  EXPECT_TRUE(layer.weight.grad().is(gradient));
  EXPECT_FALSE(layer.bias.grad().defined());
}

TEST(Capture, LeavesTheStateAsItWasAfterAnError) {
  nn::Linear layer(3, 4);
  EXPECT_THROW(
      capture([&](const Tensor& x) { return layer(reshape(x, {6})); }, {zeros({2, 3})}, State(layer)),
      ShapeError);
  EXPECT_EQ(layer.weight.device(), kCpu);
  EXPECT_FALSE(capturing());
}

TEST(Capture, ValuesCannotBeRead) {
  EXPECT_THAT(message_of<DeviceError>(
                  [] { capture([](const Tensor& x) { return x * sum(x).item(); }, {zeros({2})}); }),
              HasSubstr("meta"));
}

TEST(Capture, KnownTensorsAreConstants) {
  const Tensor table = from_values({1.0f, 2.0f, 3.0f}, {3});
  const Graph graph = capture(
      [&](const Tensor& x) { return x * table + arange(0.0, 3.0, 1.0, Dtype::f32, x.device()) + ones({3}); },
      {zeros({3})});
  Tensor changed = table;
  changed.mutable_data<float>()[0] = 100;  // the graph has a copy
  EXPECT_THAT(run(graph, {full({3}, 10.0)})[0].to_vector<float>(), ElementsAre(11, 22, 33));
}

TEST(Capture, AConstantThatChangesIsAnother) {
  const Graph graph = capture(
      [](const Tensor& x) {
        const Tensor step = ones({3}) + ones({3});
        const Tensor before = x * step;
        accumulate_(step, ones({3}));
        return before + x * step;
      },
      {zeros({3})});
  EXPECT_THAT(run(graph, {full({3}, 10.0)})[0].to_vector<float>(), ElementsAre(50, 50, 50));
}

TEST(Capture, WhatIsNotInTheStateCannotChange) {
  const Tensor counter = zeros({});
  const auto count = [&](const Tensor& x) {
    accumulate_(counter, sum(x));
    return x + counter;
  };
  EXPECT_THAT(message_of<ValueError>([&] { capture(count, {zeros({3})}); }),
              HasSubstr("not in the state that was given to capture"));
  const auto off_meta = [&](const Tensor& x) { return x + accumulate_(counter, ones({})); };
  EXPECT_THAT(message_of<ValueError>([&] { capture(off_meta, {zeros({3})}); }),
              HasSubstr("not in the state that was given to capture"));
  EXPECT_EQ(counter.item(), 0);

  State state;
  state.add("counter", counter);
  const Graph graph = capture(count, {zeros({3})}, state);
  run(graph, {ones({3})});
  EXPECT_THAT(run(graph, {ones({3})})[0].to_vector<float>(), ElementsAre(7, 7, 7));
  EXPECT_EQ(counter.item(), 6);
}

TEST(Capture, InputsCannotChange) {
  EXPECT_THAT(message_of<ValueError>(
                  [] { capture([](const Tensor& x) { return accumulate_(x, x); }, {zeros({3})}); }),
              HasSubstr("in place"));
}

TEST(Capture, AParameterMustBeInTheState) {
  nn::Linear layer(3, 4);
  EXPECT_THAT(message_of<GradientError>([&] { capture(layer, {zeros({2, 3})}); }),
              HasSubstr("requires a gradient but is not in the state"));
}

TEST(Capture, RandomNumbersOffMetaAreRefused) {
  EXPECT_THROW(capture([](const Tensor& x) { return x + uniform({3}); }, {zeros({3})}), ValueError);
}

TEST(Capture, AChangeThroughAViewReachesTheWholeAndOtherViews) {
  const Tensor memory = zeros({4, 3});
  State state;
  state.add("memory", memory);
  const Graph graph = capture(
      [&](const Tensor& x) {
        const Tensor left = slice(memory, {{}, {0, 2}});
        copy_(slice(memory, {{1, 2}}), reshape(x, {1, 3}));
        return std::vector<Tensor>{sum(left), sum(memory)};
      },
      {zeros({3})}, state);
  const std::vector<Tensor> results = run(graph, {from_values({1.0f, 2.0f, 3.0f}, {3})});
  EXPECT_EQ(results[0].item(), 3);
  EXPECT_EQ(results[1].item(), 6);
  EXPECT_THAT(slice(memory, {{1, 2}}).to_vector<float>(), ElementsAre(1, 2, 3));
}

TEST(Capture, WhatFNeverReadsIsNotInTheGraph) {
  nn::Linear used(3, 4), unused(5, 6);
  State state;
  state.add(used, "used.").add(unused, "unused.");
  const Graph graph = capture(used, {zeros({2, 3})}, state);
  EXPECT_EQ(graph.states().size(), 2u);
}

TEST(State, NamesComeOnce) {
  nn::Linear a(2, 2), b(2, 2);
  EXPECT_THAT(message_of<ValueError>([&] { State(a, b); }), HasSubstr("two tensors called weight"));
  EXPECT_EQ(State(a, a).tensors().size(), 2u);
}

}  // namespace
}  // namespace espalier::runtime
