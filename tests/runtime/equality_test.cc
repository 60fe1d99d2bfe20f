// Plans that are to have every bit of eager code, on as many threads.

#include "runtime/equality.h"

#include <cmath>
#include <functional>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "core/door.h"
#include "core/error.h"
#include "core/parallel.h"
#include "models/gpt.h"
#include "models/mlp.h"
#include "models/resnet_cifar.h"
#include "models/seed_net.h"
#include "nn/conv2d.h"
#include "nn/linear.h"
#include "nn/state.h"
#include "ops/cast.h"
#include "ops/copy.h"
#include "ops/cross_entropy.h"
#include "ops/mean.h"
#include "ops/multiply.h"
#include "ops/permute.h"
#include "ops/random.h"
#include "ops/slice.h"
#include "optim/adam.h"
#include "optim/sgd.h"
#include "runtime/compile.h"
#include "runtime/family_runner.h"
#include "runtime/kernel_choices.h"
#include "runtime/passes.h"
#include "tests/runtime/random_function.h"
#include "tests/runtime/random_images.h"
#include "tests/support/message_of.h"

namespace espalier::runtime {
namespace {

using espalier::test::message_of;
using testing::HasSubstr;

constexpr PlanOptions kStrict{.equality = Equality::strict};

/// How many numbers are not the same; NaN is NaN.
int64_t differing(const Tensor& a, const Tensor& b) {
  const std::vector<double> left = cast(a.detach(), Dtype::f64).to_vector<double>(),
                            right = cast(b.detach(), Dtype::f64).to_vector<double>();
  EXPECT_EQ(left.size(), right.size());
  int64_t count = 0;
  for (size_t i = 0; i < left.size(); ++i) {
    const bool same = left[i] == right[i] && std::signbit(left[i]) == std::signbit(right[i]);
    count += same || (std::isnan(left[i]) && std::isnan(right[i])) ? 0 : 1;
  }
  return count;
}

int64_t differing(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  EXPECT_EQ(a.size(), b.size());
  int64_t count = 0;
  for (size_t i = 0; i < a.size(); ++i) count += differing(a[i], b[i]);
  return count;
}

struct Batch {
  Tensor inputs, labels;
};
using Batches = std::function<Batch(uint64_t seed)>;

Batches images(int64_t count, const Shape& shape) {
  return [=](uint64_t seed) {
    const Generator from(seed);
    Shape batch = shape;
    batch.insert(0, count);
    return Batch{normal(batch, 0, 1, Dtype::f32, from), random_integers({count}, 0, 10, Dtype::i64, from)};
  };
}

Batch characters(uint64_t seed) {
  const Generator from(seed);
  return {random_integers({4, 64}, 0, 65, Dtype::i64, from),
          random_integers({4, 64}, 0, 65, Dtype::i64, from)};
}

/// A net and its optimiser.
template <class Net, class Optimiser>
struct Training {
  template <class Options>
  Training(const Net& start, const Options& options) : net(nn::clone(start)), optimiser(net, options) {}

  Tensor step(const Tensor& x, const Tensor& y) {
    const Tensor loss = cross_entropy(net(x), y);
    optimiser.zero_grad();
    backward(loss);
    optimiser.step();
    return loss;
  }
  std::vector<Tensor> state() {
    std::vector<Tensor> all;
    for (const auto& [name, tensor] : nn::state(net)) all.push_back(tensor);
    for (const auto& [name, tensor] : nn::state(optimiser)) all.push_back(tensor);
    return all;
  }

  Net net;
  Optimiser optimiser;
};

/// Steps of training, then an answer, each by hand and by plan.
template <class Optimiser, class Net, class Options>
void expect_every_bit(const Net& start, const Options& options, const Batches& batch_of, uint64_t steps) {
  for (const int threads : {1, 2, 3, 4}) {
    SCOPED_TRACE(threads);
    const ThreadCountGuard guard(threads);
    Training<Net, Optimiser> eager(start, options), planned(start, options);
    auto step = compile([&](const Tensor& x, const Tensor& y) { return planned.step(x, y); }, kStrict,
                        planned.net, planned.optimiser);
    for (uint64_t i = 0; i < steps; ++i) {
      const Batch batch = batch_of(i);
      const Tensor expected = eager.step(batch.inputs, batch.labels);
      EXPECT_EQ(differing(step(batch.inputs, batch.labels), expected), 0) << "loss of step " << i;
    }
    EXPECT_EQ(differing(planned.state(), eager.state()), 0);
    nn::eval(eager.net);
    auto answer = compile([&](const Tensor& x) { return eager.net(x); }, kStrict, eager.net);
    const Tensor x = batch_of(steps).inputs;
    const NoGrad no_grad;
    EXPECT_EQ(differing(answer(x), eager.net(x)), 0) << "of the answer";
    EXPECT_EQ(answer.plan(Inputs(&x, 1)).threads(), threads);
  }
}

TEST(StrictEquality, OfAnMlp) {
  manual_seed(1);
  expect_every_bit<optim::Adam>(models::Mlp({64, 64, 10}), optim::AdamOptions(), images(32, {64}), 6);
}

TEST(StrictEquality, OfThreeConvolutions) {
  manual_seed(2);
  expect_every_bit<optim::Sgd>(models::SeedNet(), optim::SgdOptions{.learning_rate = 0.05, .momentum = 0.9},
                               images(16, {3, 32, 32}), 2);
}

TEST(StrictEquality, OfAResNet) {
  manual_seed(3);
  expect_every_bit<optim::Sgd>(models::ResNetCifar(3),
                               optim::SgdOptions{.learning_rate = 0.05, .momentum = 0.9},
                               images(4, {3, 32, 32}), 2);
}

TEST(StrictEquality, OfAGpt) {
  manual_seed(4);
  expect_every_bit<optim::AdamW>(models::Gpt(4, 128, 4, 64), optim::AdamWOptions{.learning_rate = 1e-3},
                                 characters, 2);
}

/// The gradient of a layer's weight, by hand and by plan: how many numbers differ.
template <class Layer>
int64_t differing_gradients(Layer layer, const Tensor& x, const PlanOptions& options) {
  const auto gradient = [&](const Tensor& in) { return grad(mean(layer(in) * layer(in)), layer.weight); };
  auto planned = compile(gradient, options, layer);
  return differing(planned(x), gradient(x));
}

// A plan that is to be fast has one thread add up what two threads of eager code add up in two parts.
TEST(StrictEquality, OfGradientsThatOneThreadComputesFaster) {
  manual_seed(5);
  const ThreadCountGuard guard(2);
  const nn::Conv2d conv(16, 16, 3, {.padding = 1});
  const nn::Linear linear(16, 16);
  const Tensor two_images = channels_last(normal({2, 16, 8, 8})), rows = normal({600, 16});
  EXPECT_EQ(differing_gradients(conv, two_images, kStrict), 0);
  EXPECT_EQ(differing_gradients(linear, rows, kStrict), 0);
}

/// What `f` leaves in its results and in the state, which begins as `start`.
std::vector<Tensor> outcome(const std::function<std::vector<Tensor>(const Tensor&)>& f, const Tensor& input,
                            const Tensor& state, const Tensor& start) {
  copy_(state, start);
  manual_seed(6);
  std::vector<Tensor> all;
  for (const Tensor& result : f(input)) all.push_back(copy(result));
  all.push_back(copy(state));
  return all;
}

using RandomFunction =
    std::function<std::vector<Tensor>(uint64_t seed, const Tensor& input, const Tensor& state)>;

void expect_every_bit_of(const RandomFunction& random, const Tensor& input, State others) {
  const Tensor start = normal(input.shape()), state = empty(input.shape());
  others.add("state", state);
  for (uint64_t seed = 0; seed < 150; ++seed) {
    SCOPED_TRACE(seed);
    const ThreadCountGuard guard(static_cast<int>(seed % 3) + 1);
    const auto f = [&](const Tensor& x) { return random(seed, x, state); };
    const std::vector<Tensor> expected = outcome(f, input, state, start);
    CompiledFunction planned([&](Inputs inputs) { return f(inputs[0]); }, others, kStrict);
    const auto run = [&](const Tensor& x) { return planned.run(Inputs(&x, 1)); };
    ASSERT_EQ(differing(outcome(run, input, state, start), expected), 0);
  }
}

TEST(StrictEquality, OfRandomFunctions) {
  expect_every_bit_of(test::random_function, normal({8, 8}), {});
}

TEST(StrictEquality, OfRandomFunctionsOfImages) {
  const Tensor weight = normal({16, 16, 3, 3}, 0, 0.08);
  State state;
  state.add("weight", weight);
  expect_every_bit_of(
      [&](uint64_t seed, const Tensor& x, const Tensor& changes) {
        return test::random_image_function(seed, x, weight, changes);
      },
      normal({2, 16, 8, 8}), state);
}

TEST(StrictEquality, OfFamilies) {
  manual_seed(7);
  models::ResNetCifar net(1);
  nn::eval(net);
  const NoGrad no_grad;
  FamilyRunner runner(capture_family([&](const Tensor& x) { return net(x); }, {{"batch", 0, 0}},
                                     {zeros({4, 3, 16, 16})}, State(net))
                          .map([](const Graph& graph) { return freeze(graph); }),
                      kStrict);
  for (const int64_t batch : {1, 5}) {
    const Tensor x = normal({batch, 3, 16, 16});
    EXPECT_EQ(differing(runner.run(Inputs(&x, 1))[0], net(x)), 0) << batch;
  }
}

TEST(StrictEquality, TakesNoTimes) {
  KernelChoices choices;
  const Graph graph = capture([](const Tensor& x) { return x * 2; }, {zeros({3})});
  EXPECT_THAT(
      message_of<ValueError>([&] { Plan(graph, {.choices = &choices, .equality = Equality::strict}); }),
      HasSubstr("leave out the kernel choices"));
}

TEST(StrictEquality, TakesNoInputsWithGaps) {
  nn::Linear layer(8, 4);
  auto f = compile([&](const Tensor& x) { return layer(x); }, kStrict, layer);
  const Tensor wide = normal({3, 16});
  EXPECT_THAT(message_of<ShapeError>([&] { f(slice(wide, 1, {0, 8})); }), HasSubstr("with gaps"));
  EXPECT_EQ(f(permute(normal({8, 3}), {1, 0})).shape(), (Shape{3, 4}));  // another order is none
}

}  // namespace
}  // namespace espalier::runtime
