#include "runtime/graph_family.h"

#include <cmath>

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

}  // namespace
}  // namespace espalier::runtime
