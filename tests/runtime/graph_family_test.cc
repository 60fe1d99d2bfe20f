#include "runtime/graph_family.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "core/create.h"
#include "core/error.h"
#include "models/gpt.h"
#include "models/mlp.h"
#include "models/resnet_cifar.h"
#include "nn/conv2d.h"
#include "ops/add.h"
#include "ops/cast.h"
#include "ops/cross_entropy.h"
#include "ops/expand.h"
#include "ops/multiply.h"
#include "ops/random.h"
#include "ops/relu.h"
#include "ops/reshape.h"
#include "ops/sum.h"
#include "optim/sgd.h"
#include "runtime/passes.h"
#include "runtime/runner.h"
#include "tests/support/message_of.h"

namespace espalier::runtime {
namespace {

using test::message_of;
using testing::HasSubstr;

std::vector<float> answer_of(const Graph& graph, const Tensor& x) {
  return Runner(std::make_shared<const Plan>(optimise(graph))).run(Inputs(&x, 1))[0].to_vector<float>();
}

TEST(GraphFamily, HasTheGraphThatACaptureOfItsSizesGives) {
  models::ResNetCifar net(1);
  nn::eval(net);
  const State state(net);
  const auto forward = [&](const Tensor& x) { return net(x); };
  const GraphFamily family = capture_family(forward, {{"batch", 0, 0}}, {zeros({4, 3, 32, 32})}, state);
  for (const int64_t batch : {1, 2, 5, 64}) {
    const Graph captured = capture(forward, {zeros({batch, 3, 32, 32})}, state);
    // Along an axis of one element the strides mean nothing, and captures choose others.
    if (batch > 1) {
      EXPECT_TRUE(family.at({{"batch", batch}}) == captured) << captured;
    }
    const Tensor x = normal({batch, 3, 32, 32});
    EXPECT_EQ(answer_of(family.at({{"batch", batch}}), x), answer_of(captured, x)) << batch;
  }
}

TEST(GraphFamily, HasSeveralSizesWhoseProductsCount) {
  models::Gpt gpt(2, 16, 2, 12);
  nn::eval(gpt);
  const State state(gpt);
  const auto loss = [&](const Tensor& tokens) {
    const Tensor logits = gpt(tokens);
    return reshape(logits, {tokens.size(0) * tokens.size(1), 65});
  };
  const GraphFamily family =
      capture_family(loss, {{"batch", 0, 0}, {"time", 0, 1}}, {zeros({3, 8}, Dtype::i64)}, state);
  for (const auto& [batch, time] : {std::pair<int64_t, int64_t>{2, 5}, {7, 11}, {4, 3}}) {
    const Graph found = family.at({{"batch", batch}, {"time", time}});
    EXPECT_TRUE(found == capture(loss, {zeros({batch, time}, Dtype::i64)}, state)) << to_string(found);
  }
  // One beyond the positions, where the function would say so.
  EXPECT_THROW(family.at({{"batch", 1}, {"time", 13}}), Error);
}

TEST(GraphFamily, MayBeATrainingStep) {
  models::Mlp net({6, 8, 3});
  optim::Sgd sgd(net, {.learning_rate = 0.1, .momentum = 0.9});
  const State state(net, sgd);
  const auto step = [&](const Tensor& x, const Tensor& y) {
    const Tensor loss = cross_entropy(net(x), y);
    sgd.zero_grad();
    backward(loss);
    sgd.step();
    return loss;
  };
  const auto examples = [](int64_t batch) {
    return std::vector<Tensor>{zeros({batch, 6}), zeros({batch}, Dtype::i64)};
  };
  const GraphFamily family =
      capture_family(as_function(step), {{"batch", 0, 0}, {"batch", 1, 0}}, examples(8), state);
  EXPECT_TRUE(family.at({{"batch", 32}}) == capture(step, examples(32), state));
}

TEST(GraphFamily, RefusesWhatDependsOnSizesOtherwise) {
  const std::vector<FreeAxis> rows = {{"rows", 0, 0}};
  const auto refusal = [&](auto f) {
    return message_of<ValueError>([&] { capture_family(f, rows, {zeros({8, 2})}); });
  };
  EXPECT_THAT(refusal([](const Tensor& x) { return x.size(0) % 2 == 0 ? relu(x) : x * 2.0; }),
              HasSubstr("takes another way"));
  EXPECT_THAT(refusal([](const Tensor& x) {
                return x * from_values(std::vector<double>{1.0 / static_cast<double>(x.size(0))}, {1});
              }),
              HasSubstr("differs from size to size"));
  double next = 0;
  EXPECT_THAT(refusal([&](const Tensor& x) { return x * (next += 1); }), HasSubstr("differs from size"));
  EXPECT_THAT(refusal([](const Tensor& x) {
                const int64_t n = x.size(0);
                return expand(sum(x, {0}), {n * n, 2});
              }),
              HasSubstr("fits no rule"));
}

TEST(GraphFamily, HasConstantsThatGrow) {
  const GraphFamily family = capture_family(
      [](const Tensor& x) { return x + ones(x.shape()) * 0.5 + cast(arange(x.size(0)), Dtype::f32); },
      {{"n", 0, 0}}, {zeros({5})});
  EXPECT_EQ(answer_of(family.at({{"n", 3}}), zeros({3})), (std::vector<float>{0.5F, 1.5F, 2.5F}));
}

TEST(GraphFamily, RefusesSizesThatItDoesNotHave) {
  const auto f = [](const Tensor& x) { return reshape(x, {x.size(0) / 2, 2, x.size(1)}); };
  EXPECT_THAT(message_of<ValueError>([&] { capture_family(f, {{"rows", 1, 0}}, {zeros({8, 2})}); }),
              HasSubstr("no axis 0 of input 1"));
  EXPECT_THAT(message_of<ValueError>([&] { capture_family(f, {{"a", 0, 0}, {"a", 0, 1}}, {zeros({8, 2})}); }),
              HasSubstr("two sizes for a, 8 and 2"));
  const GraphFamily family =
      capture_family([](const Tensor& x) { return relu(x); }, {{"rows", 0, 0}}, {zeros({8, 2})});
  EXPECT_THAT(message_of<ValueError>([&] { family.at({}); }), HasSubstr("size of rows is missing"));
  EXPECT_THAT(message_of<ValueError>([&] { family.at({{"rows", 0}}); }), HasSubstr("below 1"));
  EXPECT_THAT(message_of<ValueError>([&] { family.at({{"rows", 1}, {"columns", 1}}); }),
              HasSubstr("no free axis columns"));
}

TEST(GraphFamily, IsMappedByPasses) {
  models::ResNetCifar net(1);
  nn::eval(net);
  const auto improved = [](const Graph& graph) { return optimise(freeze(graph)); };
  const GraphFamily family = capture_family([&](const Tensor& x) { return net(x); }, {{"batch", 0, 0}},
                                            {zeros({4, 3, 32, 32})}, State(net));
  EXPECT_TRUE(family.map(improved).at({{"batch", 9}}) == improved(family.at({{"batch", 9}})));
  // A pass that depends on the size otherwise: it leaves out what large batches do.
  const auto odd = [](const Graph& graph) {
    return graph.value(graph.inputs()[0]).type.size(0) == 2 ? graph : optimise(graph);
  };
  EXPECT_THAT(message_of<ValueError>([&] { family.map(odd); }), HasSubstr("takes another way"));
}

TEST(GraphFamily, IsASingleGraphWithoutAxes) {
  Graph graph = capture([](const Tensor& x) { return relu(x); }, {zeros({8, 2})});
  const GraphFamily family = graph;
  EXPECT_TRUE(family.at({}) == graph);
  EXPECT_TRUE(family.map([](const Graph& one) { return one; }).at({}) == graph);
  EXPECT_THAT(message_of<ValueError>([&] { family.at({{"rows", 1}}); }), HasSubstr("no free axis rows"));
}

/// x: f32[rows, 2], scaled by a number for each row.
Graph rows_graph(int64_t rows, double number = 3) {
  return capture([&](const Tensor& x) { return x * full({x.size(0), 1}, number); }, {zeros({rows, 2})});
}

TEST(GraphFamily, IsMadeOfCorners) {
  const std::vector<FreeAxis> axes = {{"rows", 0, 0}};
  const GraphFamily family = GraphFamily::from_corners(axes, {rows_graph(4), rows_graph(7)});
  EXPECT_TRUE(family.at({{"rows", 5}}) == rows_graph(5));
  const auto refusal = [&](std::vector<Graph> corners) {
    return message_of<ValueError>([&] { GraphFamily::from_corners(axes, std::move(corners)); });
  };
  EXPECT_THAT(refusal({rows_graph(4)}), HasSubstr("1 graphs for 1 names; expected 2"));
  EXPECT_THAT(refusal({rows_graph(4), rows_graph(4)}), HasSubstr("sizes 4 and 4 of rows"));
  EXPECT_THAT(refusal({rows_graph(0), rows_graph(4)}), HasSubstr("sizes 0 and 4 of rows"));
  EXPECT_THAT(refusal({rows_graph(4), rows_graph(5, 2)}), HasSubstr("neither one number repeated nor"));
  const auto f = [](const Tensor& x) { return relu(x); };
  EXPECT_THAT(refusal({capture(f, {zeros({4, 2})}), capture(f, {zeros({5, 3})})}),
              HasSubstr("input input0 is f32[5, 3] in one of the graphs; expected the shape [5, 2]"));
  EXPECT_THAT(refusal({capture(f, {zeros({4})}), capture(f, {zeros({5}, Dtype::f64)})}),
              HasSubstr("input0, f32[4], is input0, f64[5], there"));
}

TEST(GraphFamily, NumbersThatBecomeTooLargeAreRefused) {
  const std::vector<FreeAxis> axes = {{"rows", 0, 0}};
  const auto shifted = [&](int64_t rows, int64_t number) {
    return capture([&](const Tensor& x) { return x + from_values<int64_t>({number, number + 1}, {2}); },
                   {zeros({rows, 2}, Dtype::i64)});
  };
  const GraphFamily family =
      GraphFamily::from_corners(axes, {shifted(3, std::numeric_limits<int64_t>::min()), shifted(2, 0)});
  EXPECT_THAT(message_of<ValueError>([&] { family.at({{"rows", 4}}); }), HasSubstr("too large a number"));
}

TEST(GraphFamily, ReadsTheSizesOfInputs) {
  Graph graph =
            capture([](const Tensor& x, const Tensor& y) { return x + y; }, {zeros({4, 3}), zeros({4, 3})}),
        larger =
            capture([](const Tensor& x, const Tensor& y) { return x + y; }, {zeros({5, 3}), zeros({5, 3})});
  for (Graph* one : {&graph, &larger}) one->name_inputs({"images", "masks"});
  const GraphFamily family = GraphFamily::from_corners({{"batch", 0, 0}, {"batch", 1, 0}}, {graph, larger});
  const auto sizes_of = [&](std::vector<Tensor> inputs) { return family.sizes_of(inputs); };
  EXPECT_EQ(sizes_of({zeros({7, 3}), zeros({7, 3})}), (Sizes{{"batch", 7}}));
  EXPECT_THAT(message_of<ValueError>([&] { sizes_of({zeros({7, 3})}); }), HasSubstr("1 inputs were given"));
  EXPECT_EQ(message_of<ShapeError>([&] { sizes_of({zeros({0, 3}), zeros({0, 3})}); }),
            "[input images] axis 0 (batch) is 0, which is less than 1; expected f32[batch, 3]");
  EXPECT_EQ(message_of<ShapeError>([&] { sizes_of({zeros({7, 3}), zeros({7, 4})}); }),
            "[input masks] axis 1 is 4; expected f32[batch, 3]");
  EXPECT_EQ(message_of<ShapeError>([&] { sizes_of({zeros({7, 3}), zeros({6, 3})}); }),
            "[input masks] axis 0 (batch) is 6, and 7 before; expected f32[batch, 3]");
  EXPECT_THAT(message_of<ShapeError>([&] { sizes_of({zeros({7}), zeros({7, 3})}); }),
              HasSubstr("[input images] is f32[7]"));
  EXPECT_THAT(message_of<TypeError>([&] { sizes_of({zeros({7, 3}, Dtype::f64), zeros({7, 3})}); }),
              HasSubstr("[input images] is f64[7, 3]"));
  EXPECT_THAT(message_of<ValueError>([&] { sizes_of({zeros({7, 3}), Tensor()}); }),
              HasSubstr("[input masks] is undefined"));
}

}  // namespace
}  // namespace espalier::runtime
