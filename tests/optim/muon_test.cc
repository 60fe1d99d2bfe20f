#include "optim/muon.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "ops/cast.h"
#include "optim/adam.h"

namespace espalier::optim {
namespace {

using testing::ElementsAre;

/// Five steps. The values are what this prints, with the options given:
///
///   torch.set_default_dtype(torch.float64)
///   torch.bfloat16 = torch.float64  # iterate in double precision
///   w = torch.nn.Parameter((torch.arange(6) * 0.37).cos().reshape(2, 3))
///   optimiser = torch.optim.Muon([w], lr=0.05)
///   for i in range(5):
///       w.grad = (w.detach() + 0.1 * i) ** 3
///       optimiser.step()
///   print(w.flatten().tolist())
void expect_elements(const std::vector<double>& expected, const Shape& shape, const MuonOptions& options) {
  std::vector<double> values;
  for (int i = 0; i < 6; ++i) values.push_back(std::cos(i * 0.37));
  const Tensor w = requires_grad_(from_values(values, shape));
  Muon muon(nn::NamedTensors{{"w", w}}, options);
  for (int i = 0; i < 5; ++i) {
    std::vector<double> slopes;
    for (const double x : w.to_vector<double>()) slopes.push_back(std::pow(x + 0.1 * i, 3));
    Tensor(w).set_grad(from_values(slopes, shape));
    muon.step();
  }
  // The polynomial's derivative is up to 3.4 in each of the iterations: roundings grow by a few hundred.
  for (size_t i = 0; i < 6; ++i) EXPECT_NEAR(w.to_vector<double>()[i], expected[i], 1e-12) << "entry " << i;
}

TEST(Muon, FollowsPyTorch) {
  expect_elements({0.860226924599758, 0.7988541913703358, 0.6537355303458497, 0.287897747248226,
                   0.18233499915666176, -0.16027056797459371},
                  {2, 3}, {.learning_rate = 0.05});
  // Of reshape(3, 2): Muon([w], lr=0.05, momentum=0.8, nesterov=False, weight_decay=0.2, ns_steps=3)
  expect_elements(
      {0.8343405895668948, 0.7042152069511916, 0.5155462285224128, 0.553830244346591, 0.05021499554898847,
       -0.2158043545505697},
      {3, 2},
      {.learning_rate = 0.05, .momentum = 0.8, .nesterov = false, .weight_decay = 0.2, .iterations = 3});
  // Muon([w], lr=0.05, adjust_lr_fn='match_rms_adamw') and 'spectral_unclamped'
  expect_elements({0.9361705011206396, 0.8699853001125466, 0.6971747807176044, 0.3737038372293326,
                   0.13110156469132558, -0.22838614850758104},
                  {2, 3}, {.learning_rate = 0.05, .scale = MuonScale::match_rms_adamw});
  expect_elements({0.8819235659568601, 0.818412085978904, 0.6658213557071347, 0.30708772952863694,
                   0.17247130134411368, -0.17686287887296423},
                  {2, 3}, {.learning_rate = 0.05, .scale = MuonScale::spectral});
}

TEST(Muon, StepsAreNearlyOrthogonal) {
  // Five iterations bring singular values to about 0.7 to 1.2 (Jordan 2024); those of a step of rate 1 are
  // rows of that length, whatever the gradient's size.
  const Tensor w = requires_grad_(zeros({2, 4}));
  Muon muon(nn::NamedTensors{{"w", w}}, {.learning_rate = 1, .weight_decay = 0});
  Tensor(w).set_grad(from_values<float>({3e-4F, 0, 0, 4e-4F, 0, -1e-4F, 0, 0}, {2, 4}));
  muon.step();
  const std::vector<float> step = w.to_vector<float>();
  for (size_t row = 0; row < 2; ++row) {
    double square = 0;
    for (size_t i = 0; i < 4; ++i) square += step[4 * row + i] * step[4 * row + i];
    EXPECT_GT(square, 0.45);
    EXPECT_LT(square, 1.5);
  }
  EXPECT_LT(step[0], 0);
  EXPECT_GT(step[5], 0);
}

TEST(Muon, AGradientOfZerosMovesNothing) {
  const Tensor w = requires_grad_(ones({2, 2}));
  Muon muon(nn::NamedTensors{{"w", w}}, {.weight_decay = 0});
  Tensor(w).set_grad(zeros({2, 2}));
  muon.step();
  EXPECT_THAT(w.to_vector<float>(), ElementsAre(1, 1, 1, 1));
}

TEST(Muon, AdamWUpdatesTheOthers) {
  const auto tensor = [](const Shape& shape) { return requires_grad_(full(shape, 0.5F)); };
  const nn::NamedTensors mine = {
      {"hidden.weight", tensor({2, 3})}, {"hidden.bias", tensor({3})}, {"head.weight", tensor({3, 3})}};
  const nn::NamedTensors peers = {{"hidden.bias", tensor({3})}, {"head.weight", tensor({3, 3})}};
  const AdamWOptions options{.learning_rate = 0.01, .weight_decay = 0.3};
  Muon muon(mine, {.adamw_patterns = {"head.*"}, .adamw = options});
  AdamW adamw(peers, options);
  EXPECT_THAT(muon.groups(), ElementsAre(0, 1, 1));
  EXPECT_EQ(muon.learning_rate(1), 0.01);
  for (const auto* list : {&mine, &peers}) {
    for (const auto& [name, parameter] : *list) Tensor(parameter).set_grad(full(parameter.shape(), 0.25F));
  }
  for (int step = 0; step < 3; ++step) {
    muon.step();
    adamw.step();
  }
  EXPECT_EQ(mine[1].second.to_vector<float>(), peers[0].second.to_vector<float>());
  EXPECT_EQ(mine[2].second.to_vector<float>(), peers[1].second.to_vector<float>());
  EXPECT_EQ(muon.state().count("hidden.weight.momentum_buffer"), 1U);
  EXPECT_EQ(muon.state().count("head.weight.exp_avg_sq"), 1U);
}

TEST(Muon, NarrowTypesIterateInSinglePrecision) {
  const Tensor w = requires_grad_(full({2, 2}, 1, Dtype::bf16));
  Muon muon(nn::NamedTensors{{"w", w}}, {.learning_rate = 0.5, .weight_decay = 0});
  Tensor(w).set_grad(cast(from_values<float>({1, 0, 0, 1}, {2, 2}), Dtype::bf16));
  muon.step();
  const std::vector<float> step = cast(w.detach(), Dtype::f32).to_vector<float>();
  EXPECT_LT(step[0], 0.7F);
  EXPECT_EQ(step[1], 1.0F);
}

}  // namespace
}  // namespace espalier::optim
