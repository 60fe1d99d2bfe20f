// What holds for training as a whole: the same bits each time, and memory that is taken once.

#include <functional>
#include <string>
#include <vector>

#include <espalier/espalier.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using namespace espalier;

/// Trains a net of its own from a seed, calling `after_step` after each step, and returns all its weights.
using Training = std::function<std::vector<float>(int steps, const std::function<void(int)>& after_step)>;

struct Case {
  std::string name;
  Training train;
};

std::string name_of(const testing::TestParamInfo<Case>& tested) {
  return tested.param.name;
}

/// `net(x)` is trained to classify random inputs; `make` draws its weights from the default generator.
template <class Make, class MakeOptimiser, class MakeBatch>
Case training(std::string name, Make make, MakeOptimiser make_optimiser, MakeBatch make_batch) {
  return {std::move(name), [=](int steps, const std::function<void(int)>& after_step) {
            manual_seed(7);
            auto net = make();
            auto optimiser = make_optimiser(net);
            for (int step = 0; step < steps; ++step) {
              const auto [x, y] = make_batch();
              optimiser.zero_grad();
              backward(cross_entropy(net(x), y));
              optimiser.step();
              after_step(step);
            }
            std::vector<float> weights;
            for (const auto& [key, tensor] : nn::state(net)) {
              const std::vector<float> values = tensor.template to_vector<float>();
              weights.insert(weights.end(), values.begin(), values.end());
            }
            return weights;
          }};
}

auto images(int64_t count, int64_t side) {
  return [=] { return std::pair{normal({count, 3, side, side}), random_integers({count}, 0, 10)}; };
}

std::vector<Case> cases() {
  const auto sgd = [](auto& net) {
    return optim::Sgd(net, {.learning_rate = 0.05, .momentum = 0.9, .weight_decay = 1e-2});
  };
  const auto adamw = [](auto& net) { return optim::AdamW(net, {.learning_rate = 1e-3}); };
  return {
      training(
          "mlp_with_dropout",
          [] { return nn::Sequential(nn::Linear(64, 256), relu, nn::Dropout(0.5), nn::Linear(256, 10)); },
          adamw, [] { return std::pair{normal({128, 64}), random_integers({128}, 0, 10)}; }),
      training(
          "three_convolutions", [] { return models::SeedNet(); }, sgd, images(4, 16)),
      training(
          "resnet20", [] { return models::ResNetCifar(3); }, sgd, images(8, 32)),
      training(
          "gpt", [] { return models::Gpt(2, 64, 4, 32); }, adamw,
          [] { return std::pair{random_integers({4, 32}, 0, 65), random_integers({4, 32}, 0, 65)}; }),
  };
}

class WholeTraining : public testing::TestWithParam<Case> {};

TEST_P(WholeTraining, GivesTheSameBitsEachTime) {
  for (const int threads : {1, 2}) {
    const ThreadCountGuard guard(threads);
    const auto nothing = [](int) {};
    const std::vector<float> first = GetParam().train(4, nothing), second = GetParam().train(4, nothing);
    EXPECT_EQ(first, second) << threads << " threads";
    EXPECT_NE(first, GetParam().train(3, nothing)) << "nothing was learned in the last step";
  }
}

TEST_P(WholeTraining, TakesNoMemoryFromTheSystemAfterTheThirdStep) {
  std::vector<int64_t> taken;
  GetParam().train(8, [&](int) { taken.push_back(memory_stats().system_calls); });
  for (size_t step = 3; step < taken.size(); ++step)
    EXPECT_EQ(taken[step], taken[2]) << "in step " << step + 1;
}

INSTANTIATE_TEST_SUITE_P(Each, WholeTraining, testing::ValuesIn(cases()), name_of);

}  // namespace
