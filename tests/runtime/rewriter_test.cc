#include "runtime/rewriter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "nn/linear.h"
#include "ops/add.h"
#include "ops/clamp.h"
#include "ops/copy.h"
#include "ops/multiply.h"
#include "ops/random.h"
#include "ops/relu.h"
#include "runtime/capture.h"
#include "runtime/runner.h"
#include "tests/support/message_of.h"

namespace espalier::runtime {
namespace {

using espalier::test::message_of;
using testing::HasSubstr;

/// relu(x + 1) * 2 of x f32[3].
Graph small_graph(double factor = 2, const Tensor& added = ones({3})) {
  return capture([&](const Tensor& x) { return relu(x + added) * factor; }, {zeros({3})});
}

std::vector<float> outcome_of(const Graph& graph, std::initializer_list<float> x) {
  const Tensor input = from_values<float>(x, {3});
  return Runner(std::make_shared<const Plan>(graph)).run(Inputs(&input, 1))[0].to_vector<float>();
}

TEST(Rewriter, InsertsReplacesAndLeavesOut) {
  const Graph graph = small_graph();
  Rewriter clamping(graph);
  for (const Node& node : graph.nodes()) {
    clamping.keep(node);
    const ValueId y = node.outputs[0];
    if (node.operation->name() == Relu::kName) clamping.replace(y, clamping.add(Clamp({0, 6}), {y})[0]);
  }
  EXPECT_EQ(outcome_of(clamping.finish(), {-4, 1, 9}), (std::vector<float>{0, 4, 12}));

  Rewriter bare(graph);
  for (const Node& node : graph.nodes()) {
    if (node.operation->name() == Relu::kName)
      bare.replace(node.outputs[0], bare.now(node.inputs[0]));
    else
      bare.keep(node);
  }
  EXPECT_EQ(outcome_of(bare.finish(), {-4, 1, 9}), (std::vector<float>{-6, 4, 20}));
}

TEST(Rewriter, RefusesWhatDoesNotFit) {
  const Graph graph = small_graph();
  Rewriter rewriter(graph);
  const ValueId sum = graph.nodes()[0].outputs[0];
  EXPECT_THAT(message_of<ValueError>([&] { rewriter.keep(graph.nodes()[1]); }),
              HasSubstr("is read, but the node that computes it is neither kept nor replaced"));
  const ValueId number = rewriter.to().add_constant(ones({2}));
  EXPECT_THAT(message_of<ValueError>([&] { rewriter.replace(sum, number); }),
              HasSubstr("is f32[3]; #1, f32[2], cannot take its place"));
  EXPECT_THAT(message_of<ValueError>([&] { rewriter.now(99); }), HasSubstr("no value 99"));
  EXPECT_THAT(message_of<ValueError>([&] { rewriter.finish(); }), HasSubstr("neither kept nor replaced"));
}

TEST(Graphs, NameTheirInputs) {
  Graph graph = small_graph();
  graph.add_state("scale", ones({3}));
  graph.name_inputs({"x"});
  EXPECT_EQ(graph.value(graph.inputs()[0]).name, "x");
  EXPECT_THAT(message_of<ValueError>([&] { graph.name_inputs({"x", "y"}); }),
              HasSubstr("2 names were given for 1"));
  EXPECT_THAT(message_of<ValueError>([&] { graph.name_inputs({"scale"}); }),
              HasSubstr("'scale': that is taken"));
  EXPECT_THAT(message_of<ValueError>([&] { graph.name_inputs({""}); }), HasSubstr("taken"));
}

TEST(GraphsCompared, AreEqualWhereTheyComputeTheSame) {
  const Graph graph = small_graph();
  Graph compacted = graph;
  compacted.add_constant(ones({7}));  // read by nobody
  for (const Graph& same : {small_graph(), graph, compacted}) {
    EXPECT_EQ(graph, same);
    EXPECT_EQ(fingerprint(graph), fingerprint(same));
  }
  const Graph others[] = {
      small_graph(3), small_graph(2, from_values<float>({1, 1, 2}, {3})),
      capture([](const Tensor& x) { return relu(x + ones({3})) * 2; }, {zeros({2, 3})}),
      capture([](const Tensor& x) { return relu(ones({3}) + x) * 2; }, {zeros({3})}),
      capture([](const Tensor& x) { return std::vector<Tensor>{relu(x + ones({3})) * 2, x}; }, {zeros({3})})};
  for (const Graph& other : others) {
    EXPECT_FALSE(graph == other) << other;
    EXPECT_NE(fingerprint(graph), fingerprint(other)) << other;
  }
  // From another process: it does not hang on addresses.
  EXPECT_EQ(fingerprint(Graph()), fingerprint(Graph()));
}

TEST(GraphsCompared, StatesCountByNameAndType) {
  const auto capture_of = [](nn::Linear layer) {
    return capture([&](const Tensor& x) { return layer(x); }, {zeros({2, 3})}, State(layer));
  };
  EXPECT_EQ(capture_of(nn::Linear(3, 4)), capture_of(nn::Linear(3, 4)));
  EXPECT_FALSE(capture_of(nn::Linear(3, 4)) == capture_of(nn::Linear(3, 5)));
  EXPECT_FALSE(capture_of(nn::Linear(3, 4)) == capture_of(nn::Linear(3, 4, false)));
}

TEST(GraphsCompared, InputsCountByName) {
  Graph one, other;
  one.add_input("x", zeros({2}));
  other.add_input("y", zeros({2}));
  EXPECT_FALSE(one == other);
  EXPECT_NE(fingerprint(one), fingerprint(other));
}

TEST(Verify, FindsNothingInWhatWasCaptured) {
  EXPECT_NO_THROW(verify(small_graph()));
  EXPECT_NO_THROW(verify(Graph()));
}

TEST(Verify, FindsNamesThatAreMissingOrTaken) {
  Graph graph;
  graph.add_input("x", zeros({2}));
  graph.add_state("x", zeros({2}));
  EXPECT_THAT(message_of<ValueError>([&] { verify(graph); }), HasSubstr("are called x"));
  Graph nameless;
  nameless.add_input("", zeros({2}));
  EXPECT_THAT(message_of<ValueError>([&] { verify(nameless); }), HasSubstr("has no name"));
}

}  // namespace
}  // namespace espalier::runtime
