#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "core/door.h"
#include "core/parallel.h"
#include "models/gpt.h"
#include "models/resnet_cifar.h"
#include "models/seed_net.h"
#include "nn/conv2d.h"
#include "nn/linear.h"
#include "nn/state.h"
#include "ops/add.h"
#include "ops/conv2d.h"
#include "ops/copy.h"
#include "ops/cross_entropy.h"
#include "ops/gelu.h"
#include "ops/linear.h"
#include "ops/multiply.h"
#include "ops/random.h"
#include "ops/relu.h"
#include "optim/sgd.h"
#include "runtime/compile.h"
#include "runtime/passes.h"

namespace espalier::runtime {
namespace {

/// |a - b| / |b|, in Euclidean norms.
double relative_distance(const Tensor& a, const Tensor& b) {
  const std::vector<float> left = a.to_vector<float>(), right = b.to_vector<float>();
  double difference = 0, norm = 0;
  for (size_t i = 0; i < left.size(); ++i) {
    difference += std::pow(left[i] - right[i], 2);
    norm += std::pow(right[i], 2);
  }
  return std::sqrt(difference / norm);
}

Tensor channels_last_or_same(const Tensor& x) {
  return x.rank() == 4 ? channels_last(x) : x;
}

int64_t count_of(const Plan& plan, std::string_view name) {
  return std::count_if(plan.steps().begin(), plan.steps().end(),
                       [&](const Step& step) { return step.operation->name() == name; });
}

/// A ResNet with running statistics and weights as after training.
models::ResNetCifar resnet() {
  manual_seed(1);
  models::ResNetCifar net(1);
  optim::Sgd sgd(net, {.learning_rate = 0.05});
  for (int i = 0; i < 3; ++i) {
    backward(cross_entropy(net(normal({8, 3, 16, 16})), random_integers({8}, 0, 10)));
    sgd.step();
    sgd.zero_grad();
  }
  nn::eval(net);
  return net;
}

TEST(Inference, ConvolutionsTakeInNormsResidualsAndReLUs) {
  models::ResNetCifar net = resnet();
  auto answer = compile([&](const Tensor& x) { return net(x); }, net);
  const Tensor x = normal({4, 3, 16, 16});
  const NoGrad no_grad;
  // Weights times the norm's scale round anew, and so do sums: a few units of 6e-8 a layer.
  EXPECT_LT(relative_distance(answer(x), net(x)), 2e-6);
  const Plan& plan = answer.plan(Inputs(&x, 1));
  EXPECT_EQ(count_of(plan, "fused_conv2d"), 7);
  for (const char* gone : {"conv2d", "batch_norm", "relu", "copy_"})
    EXPECT_EQ(count_of(plan, gone), 0) << gone;
}

TEST(Inference, SeesThatWeightsChanged) {
  models::ResNetCifar net = resnet();
  auto answer = compile([&](const Tensor& x) { return net(x); }, net);
  const Tensor x = normal({2, 3, 16, 16});
  const NoGrad no_grad;
  answer(x);
  for (const Tensor& parameter : nn::parameters(net)) copy_(parameter, normal(parameter.shape(), 0, 0.1));
  EXPECT_LT(relative_distance(answer(x), net(x)), 2e-6);
  EXPECT_EQ(answer.plan_count(), 1u);
}

TEST(Inference, EachBatchSizeHasItsPlan) {
  manual_seed(2);
  models::SeedNet net;
  auto answer = compile([&](const Tensor& x) { return net(x); }, net);
  const NoGrad no_grad;
  for (const int64_t batch : {1, 3, 1}) {
    const Tensor x = normal({batch, 3, 8, 8});
    EXPECT_LT(relative_distance(answer(x), net(x)), 2e-6);
  }
  EXPECT_EQ(answer.plan_count(), 2u);
}

TEST(Inference, EachNumberOfThreadsHasItsPlan) {
  models::SeedNet net;
  auto answer = compile([&](const Tensor& x) { return net(x); }, net);
  const Tensor x = normal({1, 3, 8, 8});
  for (const int threads : {2, 1}) {
    const ThreadCountGuard guard(threads);
    EXPECT_EQ(answer.plan(Inputs(&x, 1)).threads(), threads);
  }
}

TEST(Inference, AResidualInAnotherLayoutIsAddedApart) {
  const nn::Conv2d conv(3, 4, 3, {.padding = 1});
  const Graph graph = capture(
      [&](const Tensor& x, const Tensor& row_major) {
        return relu(conv2d(x, conv.weight.detach(), conv.bias.detach(), {.padding = 1}) + row_major);
      },
      {zeros({2, 3, 5, 5}), zeros({2, 4, 5, 5})});
  const Plan plan(fuse_epilogues(graph));
  EXPECT_EQ(count_of(plan, "fused_conv2d"), 0);
  EXPECT_EQ(count_of(plan, "add"), 1);
}

TEST(Inference, AResidualMayBeWhatTheProductReads) {
  manual_seed(5);
  const nn::Conv2d conv(16, 16, 3, {.padding = 1});
  const nn::Linear linear(48, 48);
  const auto around = [](const auto& layer) {
    return [&layer](const Tensor& x) {
      const Tensor own =
          channels_last_or_same(x * 2);  // dies with the layer, so that its memory may be taken
      return relu(layer(own) + own);
    };
  };
  State state;
  state.add("weight", conv.weight)
      .add("bias", conv.bias)
      .add("matrix", linear.weight)
      .add("row", linear.bias);
  const auto expect_same = [&](const auto& net, const Tensor& x) {
    const Graph best = optimise(freeze(capture(net, {x}, state)));
    Runner runner(std::make_shared<const Plan>(best));
    const NoGrad no_grad;
    EXPECT_LT(relative_distance(runner.run(Inputs(&x, 1))[0], net(x)), 2e-6) << best;
  };
  expect_same(around(conv), normal({2, 16, 9, 9}));
  expect_same(around(linear), normal({64, 48}));
}

TEST(Inference, AResultWithSeveralReadersStays) {
  manual_seed(4);
  const nn::Conv2d conv(3, 4, 3, {.padding = 1});
  const auto net = [&](const Tensor& x) {
    const Tensor y = conv2d(x, conv.weight.detach(), conv.bias.detach(), {.padding = 1});
    return relu(y) + y;
  };
  const Tensor x = normal({2, 3, 5, 5});
  const Plan plan(optimise(capture(net, {x})));
  EXPECT_EQ(count_of(plan, "conv2d"), 1);
  Runner runner(std::make_shared<const Plan>(plan));
  EXPECT_LT(relative_distance(runner.run(Inputs(&x, 1))[0], net(x)), 2e-6);
}

TEST(Inference, LinearLayersTakeInResidualsAndGelus) {
  manual_seed(3);
  models::Gpt net(2, 32, 4, 16);
  auto answer = compile([&](const Tensor& tokens) { return net(tokens); }, net);
  const Tensor tokens = random_integers({2, 16}, 0, 65);
  const NoGrad no_grad;
  // GELU by another polynomial, sums in another order.
  EXPECT_LT(relative_distance(answer(tokens), net(tokens)), 2e-6);
  const Plan& plan = answer.plan(Inputs(&tokens, 1));
  EXPECT_EQ(count_of(plan, "fused_linear"), 6);
  EXPECT_EQ(count_of(plan, "gelu"), 0);
}

// One row is multiplied by code of its own, which the activation and the residual follow.
TEST(Inference, LinearLayersOfOneRowTakeInWhatFollows) {
  manual_seed(4);
  const Tensor x = normal({1, 40}), weight = normal({24, 40}), bias = normal({24}),
               residual = normal({1, 24});
  const std::vector<std::function<Tensor(const Tensor&)>> followers = {
      [](const Tensor& y) { return relu(y); }, [](const Tensor& y) { return gelu(y); },
      [](const Tensor& y) { return gelu_exact(y); }, [&](const Tensor& y) { return y + residual; }};
  for (size_t i = 0; i < followers.size(); ++i) {
    const auto layer = [&](const Tensor& row) { return followers[i](linear(row, weight, bias)); };
    const Plan plan(optimise(capture(layer, {x})));
    EXPECT_EQ(count_of(plan, "fused_linear"), 1) << i;
    Runner runner(std::make_shared<const Plan>(plan));
    EXPECT_LT(relative_distance(runner.run(Inputs(&x, 1))[0], layer(x)), 2e-6) << i;
  }
}

TEST(Inference, SixteenThreadsShareAPlan) {
  models::ResNetCifar net = resnet();
  const auto plan =
      std::make_shared<const Plan>(optimise(freeze(capture(net, {zeros({2, 3, 16, 16})}, State(net)))));
  struct Caller {
    Tensor input;
    std::vector<float> expected;
    int wrong = 0;
  };
  std::vector<Caller> callers(16);
  Runner alone(plan);
  for (Caller& caller : callers) {
    caller.input = normal({2, 3, 16, 16});
    caller.expected = alone.run(Inputs(&caller.input, 1))[0].to_vector<float>();
  }
  std::vector<std::thread> threads;
  for (Caller& caller : callers) {
    threads.emplace_back([&plan, &caller] {
      Runner runner(plan);
      for (int i = 0; i < 5; ++i)
        caller.wrong += runner.run(Inputs(&caller.input, 1))[0].to_vector<float>() != caller.expected;
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const Caller& caller : callers) EXPECT_EQ(caller.wrong, 0);
}

}  // namespace
}  // namespace espalier::runtime
