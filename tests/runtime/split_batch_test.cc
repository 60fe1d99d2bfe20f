#include "runtime/split_batch.h"

#include <cmath>
#include <functional>
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "core/error.h"
#include "models/gpt.h"
#include "models/mlp.h"
#include "models/resnet_cifar.h"
#include "models/seed_net.h"
#include "nn/dropout.h"
#include "nn/state.h"
#include "ops/copy.h"
#include "ops/cross_entropy.h"
#include "ops/random.h"
#include "ops/relu.h"
#include "optim/adam.h"
#include "optim/sgd.h"
#include "runtime/capture.h"
#include "runtime/package.h"
#include "runtime/passes.h"
#include "runtime/runner.h"
#include "tests/runtime/random_function.h"
#include "tests/support/message_of.h"
#include "tests/support/temporary_folder.h"

namespace espalier::runtime {
namespace {

using espalier::test::message_of;
using testing::HasSubstr;

/// A net with what trains it.
template <class Net>
struct SplitTraining {
  explicit SplitTraining(const Net& start) : net(nn::clone(start)), adam(net, {}) {}

  Tensor step(const Tensor& x, const Tensor& y) {
    const Tensor loss = cross_entropy(net(x), y);
    adam.zero_grad();
    backward(loss);
    adam.step();
    return loss;
  }
  Graph graph(const Tensor& x, const Tensor& y) {
    return capture(as_function([this](const Tensor& a, const Tensor& b) { return step(a, b); }), {x, y},
                   State(net, adam));
  }

  Net net;
  optim::Adam adam;
};

std::vector<double> run_steps(const Graph& graph, Inputs inputs, int steps, const PlanOptions& options) {
  Runner runner(std::make_shared<const Plan>(graph, options));
  std::vector<double> losses;
  for (int i = 0; i < steps; ++i) losses.push_back(runner.run(inputs)[0].item());
  return losses;
}

double distance(const Tensor& a, const Tensor& b) {
  const auto x = a.to_vector<float>(), y = b.to_vector<float>();
  double apart = 0, size = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    apart += std::pow(double(x[i]) - double(y[i]), 2);
    size += std::pow(double(y[i]), 2);
  }
  return std::sqrt(apart / (size + 1e-30));
}

/// Trains a copy of the net whole, and one in parts.
template <class Net>
void expect_the_same_training(const Net& net, const Tensor& x, const Tensor& y, int parts) {
  SplitTraining<Net> whole(net), split(net);
  const PlanOptions options{.threads = 2, .side_by_side = SideBySide::all};
  const Graph in_parts = split_batch(optimise(split.graph(x, y)), parts);
  verify(in_parts);
  const Tensor inputs[] = {x, y};
  const std::vector<double> expected = run_steps(optimise(whole.graph(x, y)), inputs, 4, options);
  const std::vector<double> got = run_steps(in_parts, inputs, 4, options);
  for (size_t i = 0; i < got.size(); ++i) {
    // Sums in another order; Adam divides by the root of what it has seen, so that small gradients count,
    // too.
    EXPECT_NEAR(got[i], expected[i], 2e-5 * std::abs(expected[i])) << "step " << i;
  }
  const nn::StateMap expected_state = nn::state(whole.net);
  for (const auto& [name, tensor] : nn::state(split.net))
    EXPECT_LT(distance(tensor, expected_state.at(name)), 1e-3) << name;
}

Tensor classes(const Shape& shape) {
  return random_integers(shape, 0, 10);
}

TEST(SplitBatch, GptsTrainTheSame) {
  manual_seed(1);
  const models::Gpt gpt(2, 32, 4, 16);
  for (const int parts : {2, 3, 5}) {
    const Shape shape = {5, 16};
    expect_the_same_training(gpt, random_integers(shape, 0, 65), random_integers(shape, 0, 65), parts);
  }
}

TEST(SplitBatch, NetsForImagesTrainTheSame) {
  manual_seed(2);
  expect_the_same_training(models::SeedNet(), normal({5, 3, 8, 8}), classes({5}), 2);
  expect_the_same_training(models::Mlp({20, 30, 10}), normal({7, 20}), classes({7}), 3);
}

/// The mean is over the targets that count, wherever they are.
TEST(SplitBatch, APartWhoseTargetsAreAllIgnoredAddsNothing) {
  manual_seed(3);
  const Tensor labels = classes({6});
  auto* const values = static_cast<int64_t*>(labels.raw_data());
  for (const int i : {0, 1, 2, 4}) values[i] = -100;
  expect_the_same_training(models::Mlp({20, 30, 10}), normal({6, 20}), labels, 2);
}

TEST(SplitBatch, RandomFunctionsAreTheSame) {
  int split_ones = 0;
  for (uint64_t seed = 0; seed < 3000; ++seed) {
    SCOPED_TRACE(seed);
    const Generator from(seed);
    const Tensor input = normal({4, 4}, 0, 1, Dtype::f32, from);
    const auto graph_of = [&](const Tensor& state) {
      return capture([&](const Tensor& x) { return test::random_function(seed, x, state); }, {input},
                     State().add("state", state));
    };
    const Tensor first = normal({4, 4}, 0, 1, Dtype::f32, from), second = copy(first);
    const Graph graph = graph_of(first);
    if (!why_not_split(graph, 2).empty()) continue;
    ++split_ones;
    const auto run = [&](const Graph& one) {
      manual_seed(seed);
      return Runner(std::make_shared<const Plan>(one,
                                                 PlanOptions{.threads = 2, .side_by_side = SideBySide::all}))
          .run(Inputs(&input, 1));
    };
    const std::vector<Tensor> whole = run(graph), parts = run(split_batch(graph_of(second), 2));
    ASSERT_EQ(whole.size(), parts.size());
    for (size_t i = 0; i < whole.size(); ++i) ASSERT_LT(distance(parts[i], whole[i]), 1e-5) << i;
    ASSERT_LT(distance(second, first), 1e-5);
  }
  EXPECT_GT(split_ones, 50);
}

TEST(SplitBatch, PartsRunSideBySide) {
  manual_seed(4);
  SplitTraining<models::Gpt> training(models::Gpt(2, 32, 4, 16));
  const Tensor x = random_integers({4, 16}, 0, 65), y = random_integers({4, 16}, 0, 65);
  const Graph split = split_batch(optimise(training.graph(x, y)), 2);
  const Plan plan(split, {.threads = 2, .side_by_side = SideBySide::all});
  size_t beside = 0, of_parts = 0;
  for (const Stage& stage : plan.stages()) {
    for (const std::vector<int>& lane : stage.lanes) {
      for (const int step : lane) {
        const int part = plan.steps()[static_cast<size_t>(step)].marks.part;
        of_parts += part >= 0;
        beside += part >= 0 && stage.lanes.size() == 2 && &lane == &stage.lanes[static_cast<size_t>(part)];
      }
    }
  }
  EXPECT_GT(of_parts, plan.steps().size() / 3);
  EXPECT_EQ(beside, of_parts);
}

/// The lanes of three parts on two threads: one has two, one after the other.
TEST(SplitBatch, AThreadEndsOnePartBeforeItBeginsTheNext) {
  SplitTraining<models::Mlp> training(models::Mlp({8, 16, 10}));
  const Graph split = split_batch(optimise(training.graph(zeros({6, 8}), zeros({6}, Dtype::i64))), 3);
  const Plan plan(split, {.threads = 2, .side_by_side = SideBySide::all});
  const auto first = std::find_if(plan.stages().begin(), plan.stages().end(),
                                  [](const Stage& stage) { return stage.lanes.size() == 2; });
  ASSERT_NE(first, plan.stages().end());
  std::vector<int> parts;
  for (const int step : first->lanes[0]) parts.push_back(plan.steps()[static_cast<size_t>(step)].marks.part);
  EXPECT_TRUE(std::is_sorted(parts.begin(), parts.end()));
  EXPECT_EQ(parts.front(), 0);
  EXPECT_EQ(parts.back(), 1);
  for (const int step : first->lanes[1]) EXPECT_EQ(plan.steps()[static_cast<size_t>(step)].marks.part, 2);
}

/// Marks are a wish: parts that need each other run one after the other.
TEST(SplitBatch, PartsThatNeedEachOtherAreNoLanes) {
  Graph graph;
  const ValueId x = graph.add_input("x", zeros({1024, 64}));
  const auto add = [&](ValueId from, int part) {
    return graph.add(std::make_shared<Relu>(), std::span(&from, 1), {.part = part})[0];
  };
  graph.set_outputs({add(add(x, 0), 1)});
  const Plan plan(graph, {.threads = 2, .side_by_side = SideBySide::all});
  for (const Stage& stage : plan.stages()) EXPECT_EQ(stage.lanes.size(), 1u);
}

TEST(SplitBatch, PackagesKeepTheParts) {
  SplitTraining<models::Mlp> training(models::Mlp({8, 16, 10}));
  const Graph split = split_batch(training.graph(zeros({4, 8}), zeros({4}, Dtype::i64)), 2);
  const espalier::test::TemporaryFolder folder;
  save_package(folder / "net.safetensors", split);
  const Graph again = load_package(folder / "net.safetensors").graph();
  EXPECT_EQ(to_string(again), to_string(split));
  EXPECT_THAT(to_string(again), HasSubstr(", part 1\n"));
}

struct NoisyNet {
  nn::Dropout dropout{0.5};
  models::Mlp net{{8, 16, 10}};
  Tensor operator()(const Tensor& x) const { return net(dropout(x)); }
  void visit(nn::Visitor& v) {
    v("dropout", dropout);
    v("net", net);
  }
};

TEST(SplitBatch, SaysWhyNot) {
  SplitTraining<models::Mlp> mlp(models::Mlp({8, 16, 10}));
  const Graph graph = mlp.graph(zeros({4, 8}), zeros({4}, Dtype::i64));
  EXPECT_EQ(why_not_split(graph, 4), "");
  const auto refusal = [&](const Graph& of, int parts) {
    const std::string why = why_not_split(of, parts);
    EXPECT_EQ(message_of<ValueError>([&] { split_batch(of, parts); }), "[split_batch] " + why);
    return why;
  };
  EXPECT_THAT(refusal(graph, 5), HasSubstr("5 parts of 4 examples"));
  EXPECT_THAT(refusal(graph, 1), HasSubstr("1 parts of 4 examples"));
  EXPECT_THAT(refusal(graph, -1), HasSubstr("-1 parts"));
  EXPECT_THAT(refusal(Graph(), 2), HasSubstr("no input"));
  SplitTraining<models::ResNetCifar> resnet(models::ResNetCifar(1));
  EXPECT_THAT(refusal(resnet.graph(zeros({4, 3, 8, 8}), zeros({4}, Dtype::i64)), 2), HasSubstr("batch_norm"));
  SplitTraining<NoisyNet> noisy{NoisyNet()};
  EXPECT_THAT(refusal(noisy.graph(zeros({4, 8}), zeros({4}, Dtype::i64)), 2), HasSubstr("dropout"));
}

/// What belongs to examples without having an axis of them can leave a graph in three ways.
TEST(SplitBatch, SaysThatWhatGoesOutHasNoAxisOfExamples) {
  const auto why_not = [](const std::function<void(Graph&, ValueId statistics)>& use) {
    Graph graph;
    const ValueId inputs[] = {graph.add_input("x", zeros({4, 10})),
                              graph.add_input("y", zeros({4}, Dtype::i64))};
    const ValueIds outputs = graph.add(CrossEntropy(), inputs);
    graph.set_outputs({outputs[0]});
    use(graph, outputs[1]);
    return why_not_split(graph, 2);
  };
  const auto state_like = [](Graph& graph, ValueId value) {
    const Tensor& type = graph.value(value).type;
    return graph.add_state("kept", zeros(type.shape(), type.dtype()));
  };
  EXPECT_EQ(why_not([](Graph&, ValueId) {}), "");
  EXPECT_THAT(why_not([](Graph& graph, ValueId value) { graph.set_outputs({value}); }),
              HasSubstr("is put out, and has no axis of examples"));
  EXPECT_THAT(
      why_not([&](Graph& graph, ValueId value) { graph.update_state(state_like(graph, value), value); }),
      HasSubstr("goes to kept, and has no axis of examples"));
  EXPECT_THAT(
      why_not([&](Graph& graph, ValueId value) { graph.set_gradient(state_like(graph, value), value); }),
      HasSubstr("goes to kept, and has no axis of examples"));
}

TEST(SplitBatch, PaysWhereMuchIsBetweenSmallWeights) {
  const auto is_split = [](const Graph& graph, int threads) {
    return to_string(split_where_it_pays(graph, threads)).find(", part 0") != std::string::npos;
  };
  const Tensor text = zeros({12, 64}, Dtype::i64);
  SplitTraining<models::Gpt> gpt(models::Gpt(4, 128, 4, 64));
  const Graph training = optimise(gpt.graph(text, text));
  EXPECT_TRUE(is_split(training, 2));
  EXPECT_FALSE(is_split(training, 1));
  SplitTraining<models::Mlp> mlp(models::Mlp({784, 1024, 1024, 10}));
  EXPECT_FALSE(is_split(optimise(mlp.graph(zeros({128, 784}), zeros({128}, Dtype::i64))), 2));
}

}  // namespace
}  // namespace espalier::runtime
