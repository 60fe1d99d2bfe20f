#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "autograd/checkpoint.h"
#include "models/gpt.h"
#include "models/mlp.h"
#include "models/resnet_cifar.h"
#include "models/seed_net.h"
#include "nn/dropout.h"
#include "nn/linear.h"
#include "nn/state.h"
#include "ops/autocast.h"
#include "ops/cross_entropy.h"
#include "ops/gelu.h"
#include "ops/mean.h"
#include "ops/relu.h"
#include "ops/tanh.h"
#include "optim/adam.h"
#include "optim/clip.h"
#include "optim/sgd.h"
#include "runtime/compile.h"
#include "runtime/passes.h"

namespace espalier::runtime {
namespace {

using testing::ElementsAreArray;

struct Batch {
  Tensor inputs, labels;
};

Batch images(int64_t count, const Shape& shape, int64_t seed) {
  const Generator from(static_cast<uint64_t>(seed));
  Shape batch = shape;
  batch.insert(0, count);
  return {normal(batch, 0, 1, Dtype::f32, from), random_integers({count}, 0, 10, Dtype::i64, from)};
}

Batch characters(int64_t count, int64_t length, int64_t seed) {
  const Generator from(static_cast<uint64_t>(seed));
  return {random_integers({count, length}, 0, 65, Dtype::i64, from),
          random_integers({count, length}, 0, 65, Dtype::i64, from)};
}

/// A net in training, written as one writes it by hand.
template <class Net, class Optimiser>
struct Training {
  explicit Training(const Net& start) : net(nn::clone(start)), optimiser(net, {}) {}

  Tensor step(const Tensor& x, const Tensor& y) {
    const Tensor loss = cross_entropy(net(x), y);
    optimiser.zero_grad();
    backward(loss);
    optim::clip_grad_norm(optimiser.parameters(), 1.0);
    optimiser.step();
    return loss;
  }

  Net net;
  Optimiser optimiser;
};

template <class M>
std::vector<std::vector<double>> values_of(M& model) {
  std::vector<std::vector<double>> all;
  for (const auto& [name, tensor] : nn::state(model)) {
    std::vector<double>& values = all.emplace_back();
    if (tensor.dtype() == Dtype::i64) {
      for (const int64_t value : tensor.template to_vector<int64_t>())
        values.push_back(static_cast<double>(value));
    } else if (tensor.dtype() == Dtype::f64) {
      values = tensor.template to_vector<double>();
    } else {
      for (const float value : tensor.template to_vector<float>()) values.push_back(value);
    }
  }
  return all;
}

/// Trains one copy of the net by hand and one by plan: the same bits.
template <class Optimiser, class Net>
void expect_same_training(const Net& net, const std::function<Batch(int64_t)>& batch_of, int steps) {
  Training<Net, Optimiser> eager(net), planned(net);
  auto step = compile([&](const Tensor& x, const Tensor& y) { return planned.step(x, y); },
                      {.equality = Equality::strict}, planned.net, planned.optimiser);
  for (int i = 0; i < steps; ++i) {
    const Batch batch = batch_of(i);
    manual_seed(static_cast<uint64_t>(i));
    const double expected = eager.step(batch.inputs, batch.labels).item();
    manual_seed(static_cast<uint64_t>(i));
    ASSERT_EQ(step(batch.inputs, batch.labels).item(), expected) << "step " << i;
  }
  EXPECT_EQ(step.plan_count(), 1u);
  EXPECT_THAT(values_of(planned.net), ElementsAreArray(values_of(eager.net)));
  EXPECT_THAT(values_of(planned.optimiser), ElementsAreArray(values_of(eager.optimiser)));
}

TEST(TrainingStep, MlpIsTheSameToTheBit) {
  manual_seed(1);
  expect_same_training<optim::Adam>(
      models::Mlp({64, 64, 10}), [](int64_t i) { return images(32, {64}, i); }, 6);
}

TEST(TrainingStep, SeedNetIsTheSameToTheBit) {
  manual_seed(2);
  expect_same_training<optim::Sgd>(models::SeedNet(), [](int64_t i) { return images(4, {3, 8, 8}, i); }, 4);
}

TEST(TrainingStep, ResNetAndItsRunningStatisticsAreTheSameToTheBit) {
  manual_seed(3);
  expect_same_training<optim::Sgd>(
      models::ResNetCifar(1), [](int64_t i) { return images(8, {3, 16, 16}, i); }, 4);
}

TEST(TrainingStep, GptIsTheSameToTheBit) {
  manual_seed(4);
  expect_same_training<optim::AdamW>(
      models::Gpt(2, 32, 4, 16), [](int64_t i) { return characters(3, 16, i); }, 4);
}

/// A GPT in mixed precision.
struct Narrowed {
  models::Gpt gpt;
  Tensor operator()(const Tensor& tokens) const {
    const Autocast autocast(Dtype::bf16);
    return gpt(tokens);
  }
  void visit(nn::Visitor& v) { gpt.visit(v); }
};

TEST(TrainingStep, ConversionsOfMixedPrecisionAreTheSameToTheBit) {
  manual_seed(10);
  expect_same_training<optim::AdamW>(
      Narrowed{models::Gpt(2, 32, 4, 16)}, [](int64_t i) { return characters(3, 16, i); }, 4);
}

/// A net that draws random numbers.
struct Noisy {
  nn::Linear first{20, 40}, second{40, 10};
  nn::Dropout dropout{0.4};
  Tensor operator()(const Tensor& x) const { return second(dropout(relu(first(x)))); }
  void visit(nn::Visitor& v) {
    v("first", first);
    v("dropout", dropout);
    v("second", second);
  }
};

TEST(TrainingStep, EachRunDrawsNewDropoutMasksAndMovesAdamsCountOn) {
  manual_seed(5);
  Training<Noisy, optim::Adam> eager{Noisy()}, planned(eager.net);
  const Batch batch = images(16, {20}, 0);
  std::vector<double> expected, losses;
  manual_seed(6);
  for (int i = 0; i < 5; ++i) expected.push_back(eager.step(batch.inputs, batch.labels).item());
  manual_seed(6);
  auto step = compile([&](const Tensor& x, const Tensor& y) { return planned.step(x, y); }, planned.net,
                      planned.optimiser);
  for (int i = 0; i < 5; ++i) losses.push_back(step(batch.inputs, batch.labels).item());
  EXPECT_THAT(losses, ElementsAreArray(expected));
  EXPECT_EQ(step.plan_count(), 1u);
  EXPECT_THAT(values_of(planned.optimiser), ElementsAreArray(values_of(eager.optimiser)));
}

/// ... and computes its forward pass again in backward.
struct Recomputed {
  Noisy net;
  Tensor operator()(const Tensor& x) const {
    return checkpoint([this](const Tensor& segment) { return net(segment); }, x);
  }
  void visit(nn::Visitor& v) { v("net", net); }
};

TEST(TrainingStep, RecomputedSegmentsAreTheSameToTheBit) {
  manual_seed(9);
  expect_same_training<optim::Adam>(Recomputed(), [](int64_t i) { return images(16, {20}, i); }, 4);
}

/// Layers one behind the other, in segments that are computed again in backward, or not.
struct Deep {
  explicit Deep(bool recomputes_) : recomputes(recomputes_) {
    for (int i = 0; i < 8; ++i) layers.emplace_back(32, 32);
  }
  Tensor operator()(const Tensor& x) const {
    Tensor y = x;
    for (size_t i = 0; i < layers.size(); i += 4) {
      const std::function<Tensor(const Tensor&)> segment = [this, i](const Tensor& from) {
        Tensor z = from;
        for (size_t j = i; j < i + 4; ++j) z = tanh(layers[j](gelu(z)));
        return z;
      };
      y = recomputes ? checkpoint(segment, y) : segment(y);
    }
    return y;
  }
  void visit(nn::Visitor& v) { v("layers", layers); }

  bool recomputes;
  std::vector<nn::Linear> layers;
};

TEST(TrainingStep, SegmentsThatAreComputedAgainNeedLessMemory) {
  const auto plan_of = [](bool recomputes) {
    Deep net(recomputes);
    optim::Sgd sgd(net, {.learning_rate = 0.1});
    const auto step = [&](const Tensor& x) {
      const Tensor loss = mean(net(x));
      sgd.zero_grad();
      backward(loss);
      sgd.step();
      return loss;
    };
    return Plan(optimise(capture(step, {zeros({1024, 32})}, State(net, sgd))));
  };
  const Plan kept = plan_of(false), recomputed = plan_of(true);
  // Eight layers keep two tensors each; of two segments only one is there at a time.
  EXPECT_LT(recomputed.least_arena_bytes(), kept.least_arena_bytes() * 3 / 4);
  EXPECT_GT(recomputed.steps().size(), kept.steps().size());
}

TEST(TrainingStep, AnotherModeOfTheLayersIsAnotherPlan) {
  Noisy net;
  auto answer = compile([&](const Tensor& x) { return net(x); }, net);
  const Tensor x = images(4, {20}, 0).inputs;
  nn::eval(net);
  const auto expect_the_same = [&] {
    manual_seed(7);
    const std::vector<float> planned = answer(x).to_vector<float>();
    manual_seed(7);
    // Packed weights add up anew.
    EXPECT_THAT(planned, testing::Pointwise(testing::FloatNear(1e-6F), net(x).detach().to_vector<float>()));
  };
  expect_the_same();
  nn::train(net);
  expect_the_same();
  EXPECT_EQ(answer.plan_count(), 2u);
}

TEST(TrainingStep, GradientsAccumulateOverRunsUntilTheyAreDropped) {
  manual_seed(8);
  models::Mlp eager({5, 7, 10}), planned = nn::clone(eager);
  const auto loss_of = [](models::Mlp& net, const Tensor& x, const Tensor& y) {
    const Tensor loss = cross_entropy(net(x), y);
    backward(loss);
    return loss;
  };
  auto accumulate =
      compile([&](const Tensor& x, const Tensor& y) { return loss_of(planned, x, y); }, planned);
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 3; ++i) {
      const Batch batch = images(6, {5}, i);
      EXPECT_EQ(accumulate(batch.inputs, batch.labels).item(),
                loss_of(eager, batch.inputs, batch.labels).item());
    }
    const std::vector<Tensor> left = nn::parameters(planned), right = nn::parameters(eager);
    for (size_t i = 0; i < left.size(); ++i) {
      EXPECT_EQ(left[i].grad().to_vector<float>(), right[i].grad().to_vector<float>()) << i;
    }
    for (Tensor parameter : left) parameter.set_grad({});
    for (Tensor parameter : right) parameter.set_grad({});
  }
  EXPECT_EQ(accumulate.plan_count(), 2u);  // without gradients to add to, and with them
}

TEST(TrainingStep, AStepThatAddsToGradientsLeavesThem) {
  manual_seed(10);
  models::Mlp eager({5, 7, 10}), planned = nn::clone(eager);
  optim::Sgd eager_sgd(eager, {}), planned_sgd(planned, {});
  const auto step_of = [](models::Mlp& net, optim::Sgd& sgd, const Tensor& x, const Tensor& y) {
    const Tensor loss = cross_entropy(net(x), y);
    backward(loss);  // adds to what the step before left
    sgd.step();
    return loss;
  };
  auto step = compile([&](const Tensor& x, const Tensor& y) { return step_of(planned, planned_sgd, x, y); },
                      planned, planned_sgd);
  const auto first_gradient = [](models::Mlp& net, const Batch& batch) {
    backward(cross_entropy(net(batch.inputs), batch.labels));
  };
  const Batch batch = images(6, {5}, 0);
  first_gradient(eager, batch);
  first_gradient(planned, batch);
  for (int i = 0; i < 3; ++i) {
    const double expected = step_of(eager, eager_sgd, batch.inputs, batch.labels).item();
    EXPECT_EQ(step(batch.inputs, batch.labels).item(), expected) << i;
  }
  EXPECT_EQ(planned.layers[0].weight.grad().to_vector<float>(),
            eager.layers[0].weight.grad().to_vector<float>());
}

TEST(TrainingStep, GradientsOfTheStepBeforeAreDropped) {
  models::Mlp net({5, 7, 10});
  optim::Sgd sgd(net, {});
  const auto step = [&](const Tensor& x, const Tensor& y) {
    sgd.zero_grad();
    const Tensor loss = cross_entropy(net(x), y);
    backward(loss);
    sgd.step();
    return loss;
  };
  const Batch batch = images(6, {5}, 0);
  step(batch.inputs, batch.labels);
  auto planned = compile(step, net, sgd);
  planned(batch.inputs, batch.labels);
  EXPECT_FALSE(nn::parameters(net)[0].grad().defined());
}

}  // namespace
}  // namespace espalier::runtime
