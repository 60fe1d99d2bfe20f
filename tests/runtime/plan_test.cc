#include "runtime/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "models/gpt.h"
#include "models/resnet_cifar.h"
#include "ops/accumulate.h"
#include "ops/add.h"
#include "ops/concat.h"
#include "ops/copy.h"
#include "ops/multiply.h"
#include "ops/permute.h"
#include "ops/relu.h"
#include "ops/slice.h"
#include "ops/sum.h"
#include "runtime/compile.h"
#include "tests/support/message_of.h"

namespace espalier::runtime {
namespace {

using espalier::test::message_of;
using testing::ElementsAre;
using testing::HasSubstr;

Runner runner_of(Graph graph) {
  return Runner(std::make_shared<const Plan>(std::move(graph)));
}

Tensor three(float a, float b, float c) {
  return from_values({a, b, c}, {3});
}

TEST(Plan, ComputesOnlyWhatIsAskedFor) {
  const Graph graph = capture(
      [](const Tensor& x) {
        sum(x * x);
        return x + x;
      },
      {zeros({3})});
  EXPECT_EQ(graph.nodes().size(), 3u);
  EXPECT_EQ(Plan(graph).steps().size(), 1u);
}

TEST(Plan, ResultsAreWrittenWhereTheCallerWants) {
  Runner runner = runner_of(capture([](const Tensor& x) { return relu(x + x); }, {zeros({3})}));
  const Tensor x = three(1, -2, 3), result = zeros({3});
  runner.run(Inputs(&x, 1), std::span(&result, 1));
  EXPECT_THAT(result.to_vector<float>(), ElementsAre(2, 0, 6));
}

TEST(Plan, InputsStatesConstantsAndViewsMayBeResults) {
  const Tensor state = three(4, 5, 6), constant = three(7, 8, 9);
  State all;
  all.add("state", state);
  Runner runner = runner_of(capture(
      [&](const Tensor& x) {
        const Tensor y = x + x;
        return std::vector<Tensor>{x, state, constant + zeros({3}), y, y, permute(stack({y, x}, 0), {1, 0})};
      },
      {zeros({3})}, all));
  const Tensor x = three(1, 2, 3);
  const std::vector<Tensor> results = runner.run(Inputs(&x, 1));
  EXPECT_THAT(results[0].to_vector<float>(), ElementsAre(1, 2, 3));
  EXPECT_THAT(results[1].to_vector<float>(), ElementsAre(4, 5, 6));
  EXPECT_THAT(results[2].to_vector<float>(), ElementsAre(7, 8, 9));
  EXPECT_THAT(results[3].to_vector<float>(), ElementsAre(2, 4, 6));
  EXPECT_THAT(results[4].to_vector<float>(), ElementsAre(2, 4, 6));
  EXPECT_THAT(results[5].to_vector<float>(), ElementsAre(2, 1, 4, 2, 6, 3));
}

TEST(Plan, AResultMayBeAPartOfMemory) {
  Runner runner = runner_of(capture([](const Tensor& x) { return slice(x + x, {{1, 3}}); }, {zeros({3})}));
  const Tensor x = three(1, 2, 3);
  EXPECT_THAT(runner.run(Inputs(&x, 1))[0].to_vector<float>(), ElementsAre(4, 6));
}

/// A graph in which a value is read after it was updated, which plain code cannot write.
TEST(Plan, AnUpdateSparesTheOldValueForItsReaders) {
  Graph graph;
  const Tensor memory = three(1, 2, 3);
  const ValueId x = graph.add_input("x", zeros({3})), state = graph.add_state("memory", memory);
  const std::vector<ValueId> add = {state, x};
  const ValueId updated = graph.add(Accumulate(), add)[0];
  const std::vector<ValueId> product = {updated, state};
  const ValueId result = graph.add(Multiply(), product)[0];
  graph.set_outputs({result, state});
  graph.update_state(state, updated);
  Runner runner = runner_of(graph);
  const Tensor ten = full({3}, 10.0);
  const std::vector<Tensor> results = runner.run(Inputs(&ten, 1));
  EXPECT_THAT(results[0].to_vector<float>(), ElementsAre(11, 24, 39));
  EXPECT_THAT(results[1].to_vector<float>(), ElementsAre(1, 2, 3));
  EXPECT_THAT(memory.to_vector<float>(), ElementsAre(11, 12, 13));
}

TEST(Plan, StatesMayBeExchanged) {
  Graph graph;
  const Tensor a = three(1, 2, 3), b = three(4, 5, 6);
  const ValueId first = graph.add_state("a", a), second = graph.add_state("b", b);
  graph.update_state(first, second);
  graph.update_state(second, first);
  Runner runner = runner_of(graph);
  runner.run({});
  EXPECT_THAT(a.to_vector<float>(), ElementsAre(4, 5, 6));
  EXPECT_THAT(b.to_vector<float>(), ElementsAre(1, 2, 3));
}

TEST(Plan, UpdatesHappenInPlaceWhereNobodyReadsTheOldValue) {
  const Tensor memory = three(1, 2, 3);
  State state;
  state.add("memory", memory);
  const Plan plan(capture([&](const Tensor& x) { accumulate_(memory, x); }, {zeros({3})}, state));
  EXPECT_EQ(plan.steps().size(), 1u);
  EXPECT_EQ(plan.arena_bytes(), 0u);
}

TEST(Plan, RefusesOtherInputs) {
  Runner runner = runner_of(capture([](const Tensor& x) { return relu(x); }, {zeros({2, 3})}));
  const auto given = [&](const Tensor& x) { runner.run(Inputs(&x, 1)); };
  EXPECT_THAT(message_of<ShapeError>([&] { given(zeros({2, 4})); }), HasSubstr("[2, 4]"));
  EXPECT_THAT(message_of<ShapeError>([&] { given(permute(zeros({3, 2}), {1, 0})); }), HasSubstr("strides"));
  EXPECT_THAT(message_of<TypeError>([&] { given(zeros({2, 3}, Dtype::f64)); }), HasSubstr("f64"));
  EXPECT_THROW(given(zeros({2, 3}, Dtype::f32, kMeta)), DeviceError);
  EXPECT_THROW(given({}), ValueError);
  EXPECT_THROW(runner.run({}), ValueError);
}

/// Buffers that live at one time never overlap, and the arena is near the least that is possible.
void expect_tight(const Plan& plan) {
  const std::vector<Buffer>& buffers = plan.buffers();
  for (size_t i = 0; i < buffers.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      const Buffer &a = buffers[i], &b = buffers[j];
      if (a.place != Buffer::Place::arena || b.place != Buffer::Place::arena || a.first < 0 || b.first < 0)
        continue;
      if (a.first > b.last || b.first > a.last) continue;
      ASSERT_TRUE(a.offset + a.bytes <= b.offset || b.offset + b.bytes <= a.offset) << i << " and " << j;
    }
  }
  EXPECT_GT(plan.least_arena_bytes(), 0u);
  EXPECT_LE(static_cast<double>(plan.arena_bytes()), 1.1 * static_cast<double>(plan.least_arena_bytes()));
}

TEST(Plan, TheArenaIsTight) {
  models::ResNetCifar resnet(1);
  nn::eval(resnet);
  expect_tight(Plan(capture(resnet, {zeros({4, 3, 32, 32})}, State(resnet))));
  models::Gpt gpt(2, 32, 4, 16);
  expect_tight(Plan(capture(gpt, {zeros({2, 16}, Dtype::i64)}, State(gpt))));
}

}  // namespace
}  // namespace espalier::runtime
