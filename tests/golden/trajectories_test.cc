// Ten training steps of four nets, against what PyTorch computed on a CPU in f32. The files and the agreement
// that can be asked for stand in $ESPALIER_SHARED/golden (../shared/golden by default) with a README.md that
// tells how far PyTorch is from itself in f64, in another memory layout and from weights changed by 1e-6.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include <espalier/espalier.h>
#include <gtest/gtest.h>

#include "tests/golden/shared_files.h"

namespace {

using namespace espalier;
using test::kNoSharedFiles;
using test::shared_tensors;

/// Largest differences from PyTorch: relative L2 distance for tensors, relative difference for losses. The
/// numbers are the README's, for direct convolution, although some convolutions are Winograd's here.
struct Asks {
  double logits, gradients, losses_1_to_5, losses_6_to_10;
};

/// |a - b| / |b|.
double distance(const Tensor& a, const Tensor& b) {
  const std::vector<float> got = a.to_vector<float>(), expected = b.to_vector<float>();
  double difference = 0, length = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    difference += std::pow(static_cast<double>(got[i]) - static_cast<double>(expected[i]), 2);
    length += std::pow(static_cast<double>(expected[i]), 2);
  }
  return std::sqrt(difference / length);
}

/// The file's tensors under `prefix`, without it.
nn::StateMap under(const std::map<std::string, Tensor>& file, const std::string& prefix) {
  nn::StateMap result;
  for (const auto& [name, tensor] : file) {
    if (name.starts_with(prefix)) result.emplace(name.substr(prefix.size()), tensor);
  }
  return result;
}

/// Keeps what was found in the report that --gtest_output=xml writes.
void record(const std::string& what, double found) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1e", found);
  testing::Test::RecordProperty(what, text);
}

template <class Net>
void expect_gradients(Net& net, const std::map<std::string, Tensor>& file, double ask) {
  nn::StateMap parameters;
  for (const auto& [name, parameter] : nn::named_parameters(net)) parameters.emplace(name, parameter);
  double worst = 0;
  for (const auto& [name, expected] : under(file, "expected.grad.")) {
    const double found = distance(parameters.at(name).grad(), expected);
    EXPECT_LE(found, ask) << "gradient of " << name;
    worst = std::max(worst, found);
  }
  record("gradients", worst);
}

template <class Net, class Optimiser>
void expect_trajectory(const std::map<std::string, Tensor>& file, Net& net, Optimiser& optimiser,
                       const Asks& asks) {
  nn::load_state(net, under(file, "init."));
  const std::vector<float> losses = file.at("expected.losses").to_vector<float>();
  ASSERT_EQ(losses.size(), 10U);
  std::array<double, 2> worst{};  // of steps 1 to 5 and 6 to 10
  for (size_t step = 0; step < losses.size(); ++step) {
    const Tensor logits = net(file.at("batch.x"));
    const Tensor loss = cross_entropy(logits, file.at("batch.y"));
    optimiser.zero_grad();
    backward(loss);
    if (step == 0) {
      const double found = distance(logits, file.at("expected.logits"));
      EXPECT_LE(found, asks.logits) << "logits";
      record("logits", found);
      expect_gradients(net, file, asks.gradients);
    }
    optimiser.step();
    const auto expected = static_cast<double>(losses[step]);
    const double found = std::abs(loss.item() - expected) / expected;
    EXPECT_LE(found, step < 5 ? asks.losses_1_to_5 : asks.losses_6_to_10)
        << "loss of step " << step + 1 << ": " << loss.item() << " instead of " << expected;
    worst[step / 5] = std::max(worst[step / 5], found);
  }
  record("losses_1_to_5", worst[0]);
  record("losses_6_to_10", worst[1]);
}

optim::SgdOptions sgd_options() {
  return {.learning_rate = 0.05, .momentum = 0.9, .weight_decay = 1e-2};
}

TEST(GoldenTrajectory, DigitsMlp) {
  const auto file = shared_tensors("golden/train-digits-mlp.safetensors");
  if (file.empty()) GTEST_SKIP() << kNoSharedFiles;
  models::Mlp net({64, 64, 10});
  optim::Adam adam(net, {.learning_rate = 1e-3});
  expect_trajectory(file, net, adam, {1e-5, 1e-5, 2e-6, 2e-6});
}

TEST(GoldenTrajectory, SeedNet) {
  const auto file = shared_tensors("golden/train-seednet.safetensors");
  if (file.empty()) GTEST_SKIP() << kNoSharedFiles;
  models::SeedNet net;
  optim::Sgd sgd(net, sgd_options());
  expect_trajectory(file, net, sgd, {1e-5, 5e-3, 2e-6, 2e-6});
}

TEST(GoldenTrajectory, ResNet20) {
  const auto file = shared_tensors("golden/train-resnet20.safetensors");
  if (file.empty()) GTEST_SKIP() << kNoSharedFiles;
  models::ResNetCifar net(3);
  optim::Sgd sgd(net, sgd_options());
  expect_trajectory(file, net, sgd, {2e-5, 3e-2, 5e-4, 5e-3});
}

TEST(GoldenTrajectory, GptNano) {
  const auto file = shared_tensors("golden/train-gpt-nano.safetensors");
  if (file.empty()) GTEST_SKIP() << kNoSharedFiles;
  models::Gpt net(4, 128, 4, 64);
  optim::AdamW adamw(net, {.learning_rate = 1e-3, .beta1 = 0.9, .beta2 = 0.95, .weight_decay = 0.1});
  expect_trajectory(file, net, adamw, {1e-5, 2e-5, 2e-6, 5e-6});
}

}  // namespace
