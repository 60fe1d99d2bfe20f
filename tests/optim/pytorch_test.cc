// Trajectories of PyTorch 2.15 in double precision, and what every optimiser must do: go on from its saved
// state with the same bits, and refuse wrong options.

#include <cmath>
#include <functional>
#include <limits>
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "ops/copy.h"
#include "optim/adadelta.h"
#include "optim/adagrad.h"
#include "optim/adam.h"
#include "optim/lion.h"
#include "optim/muon.h"
#include "optim/rmsprop.h"
#include "optim/sgd.h"
#include "tests/optim/trajectory.h"
#include "tests/support/message_of.h"

namespace espalier::optim {
namespace {

using test::MakeOptimiser;
using test::message_of;
using testing::HasSubstr;

template <class O, class Options>
MakeOptimiser make(const Options& options) {
  return [=](const nn::NamedTensors& parameters) { return std::make_unique<O>(parameters, options); };
}

/// Ten steps down sum w^4 / 4 from three points. The values are what this prints, with the options given:
///
///   torch.set_default_dtype(torch.float64)
///   w = torch.nn.Parameter(torch.tensor([1.5, -0.75, 0.3]))
///   optimiser = torch.optim.RMSprop([w])
///   for _ in range(10):
///       w.grad = w.detach() ** 3
///       optimiser.step()
///   print(w.tolist())
void expect_values(const std::vector<double>& expected, const MakeOptimiser& make) {
  const Tensor w = requires_grad_(from_values<double>({1.5, -0.75, 0.3}, {3}));
  const auto optimiser = make({{"w", w}});
  for (int step = 0; step < 10; ++step) {
    std::vector<double> slopes;
    for (const double x : w.to_vector<double>()) slopes.push_back(x * x * x);
    Tensor(w).set_grad(from_values(slopes, {3}));
    optimiser->step();
  }
  // Ten steps of about five roundings each.
  for (size_t i = 0; i < 3; ++i) EXPECT_NEAR(w.to_vector<double>()[i], expected[i], 2e-14) << "entry " << i;
}

TEST(Rmsprop, FollowsPyTorch) {
  expect_values({1.0885217091078703, -0.41744418843333014, 0.10179838564806877},
                make<Rmsprop>(RmspropOptions{}));
  // RMSprop([w], lr=0.02, alpha=0.9, eps=1e-3, weight_decay=0.1, momentum=0.8)
  RmspropOptions options{.learning_rate = 0.02, .alpha = 0.9, .epsilon = 1e-3};
  options.weight_decay = 0.1;
  options.momentum = 0.8;
  expect_values({0.6089539637050482, -0.03144270715625694, -0.08223514820295755}, make<Rmsprop>(options));
  // RMSprop([w], lr=0.01, alpha=0.9, eps=1e-3, weight_decay=0.1, momentum=0.8, centered=True)
  options.learning_rate = 0.01;
  options.centred = true;
  expect_values({0.8953651433034655, -0.2405015884017021, -0.07193909876187306}, make<Rmsprop>(options));
  // RMSprop([w], lr=0.02, alpha=0.9, eps=1e-3, centered=True)
  expect_values(
      {1.1267471480369156, -0.4456698128138358, 0.1212887856611974},
      make<Rmsprop>(RmspropOptions{.learning_rate = 0.02, .alpha = 0.9, .epsilon = 1e-3, .centred = true}));
}

TEST(Adagrad, FollowsPyTorch) {
  expect_values({1.4507609805428294, -0.7017315472859394, 0.2546159107061066},
                make<Adagrad>(AdagradOptions{}));
  // Adagrad([w], lr=0.1, lr_decay=0.05, weight_decay=0.1, initial_accumulator_value=0.2, eps=1e-3)
  expect_values({1.1344480351638506, -0.47325649257419805, 0.22060548437202854},
                make<Adagrad>(AdagradOptions{.learning_rate = 0.1,
                                             .rate_decay = 0.05,
                                             .weight_decay = 0.1,
                                             .initial_sum = 0.2,
                                             .epsilon = 1e-3}));
}

TEST(Adadelta, FollowsPyTorch) {
  expect_values({1.4669348581964428, -0.7176018351649395, 0.26968658209152346},
                make<Adadelta>(AdadeltaOptions{}));
  // Adadelta([w], lr=0.5, rho=0.8, eps=1e-3, weight_decay=0.1)
  expect_values({1.1712253532781671, -0.4718560926343711, 0.1482965812695505},
                make<Adadelta>(
                    AdadeltaOptions{.learning_rate = 0.5, .rho = 0.8, .epsilon = 1e-3, .weight_decay = 0.1}));
}

TEST(Adam, AmsgradFollowsPyTorch) {
  // Adam and AdamW([w], lr=0.05, betas=(0.8, 0.5), weight_decay=0.1, amsgrad=True)
  expect_values(
      {1.0562598944083004, -0.36606465833831336, -0.009650393246264832},
      make<Adam>(AdamOptions{
          .learning_rate = 0.05, .beta1 = 0.8, .beta2 = 0.5, .weight_decay = 0.1, .amsgrad = true}));
  expect_values(
      {1.0075376899549895, -0.36186772834299635, 0.04898499507807599},
      make<AdamW>(AdamWOptions{
          .learning_rate = 0.05, .beta1 = 0.8, .beta2 = 0.5, .weight_decay = 0.1, .amsgrad = true}));
}

/// PyTorch has no Lion: the paper's algorithm 2 in plain numbers.
TEST(Lion, FollowsThePaper) {
  const LionOptions options{.learning_rate = 0.02, .beta1 = 0.8, .beta2 = 0.95, .weight_decay = 0.1};
  test::expect_trajectory(make<Lion>(options),
                          [=, means = std::vector<double>(3)](size_t i, int, double w, double g) mutable {
                            const double c = options.beta1 * means[i] + (1 - options.beta1) * g;
                            means[i] = options.beta2 * means[i] + (1 - options.beta2) * g;
                            const double sign = c > 0 ? 1 : -1;
                            return w - options.learning_rate * (sign + options.weight_decay * w);
                          });
}

struct Named {
  std::string name;
  MakeOptimiser make;
};

std::vector<Named> all_optimisers() {
  return {
      {"sgd", make<Sgd>(SgdOptions{.learning_rate = 0.1})},
      {"sgd with momentum", make<Sgd>(SgdOptions{.learning_rate = 0.1, .momentum = 0.9, .nesterov = true})},
      {"adam", make<Adam>(AdamOptions{.amsgrad = true})},
      {"adamw", make<AdamW>(AdamWOptions{})},
      {"rmsprop", make<Rmsprop>(RmspropOptions{.momentum = 0.9, .centred = true})},
      {"adagrad", make<Adagrad>(AdagradOptions{.rate_decay = 0.1, .initial_sum = 0.5})},
      {"adadelta", make<Adadelta>(AdadeltaOptions{})},
      {"lion", make<Lion>(LionOptions{})},
      {"muon", make<Muon>(MuonOptions{})},
  };
}

/// A matrix and a bias, with gradients that differ from step to step.
struct Weights {
  Tensor matrix = requires_grad_(from_values<float>({1.5F, -0.75F, 0.3F, 0.1F, -2, 1}, {2, 3}));
  Tensor bias = requires_grad_(from_values<float>({0.5F, -1}, {2}));

  nn::NamedTensors named() const { return {{"matrix", matrix}, {"bias", bias}}; }
  void step(Optimiser& optimiser, int count) {
    for (int i = 0; i < count; ++i) {
      matrix.set_grad(copy(matrix.detach()));
      bias.set_grad(copy(bias.detach()));
      optimiser.step();
    }
  }
  std::vector<float> values() const {
    std::vector<float> all = matrix.to_vector<float>();
    for (const float x : bias.to_vector<float>()) all.push_back(x);
    return all;
  }
};

TEST(Optimisers, GoOnFromTheirStateWithTheSameBits) {
  for (const auto& [name, make] : all_optimisers()) {
    SCOPED_TRACE(name);
    Weights weights;
    const auto optimiser = make(weights.named());
    weights.step(*optimiser, 3);
    nn::StateMap saved;
    for (const auto& [key, tensor] : optimiser->state()) saved[key] = copy(tensor);
    Weights later;
    later.matrix = requires_grad_(copy(weights.matrix.detach()));
    later.bias = requires_grad_(copy(weights.bias.detach()));
    const auto other = make(later.named());
    other->set_learning_rate(0.7);
    other->load_state(saved);
    weights.step(*optimiser, 4);
    later.step(*other, 4);
    EXPECT_EQ(later.values(), weights.values());
    EXPECT_NE(weights.values(), Weights().values());
  }
}

TEST(Optimisers, RefuseWrongOptions) {
  const nn::NamedTensors parameters = {{"w", requires_grad_(ones({2, 2}))}};
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto refuses = [&](const MakeOptimiser& make, const std::string& message) {
    EXPECT_THAT(message_of<ValueError>([&] { make(parameters); }), HasSubstr(message));
  };
  refuses(make<Rmsprop>(RmspropOptions{.learning_rate = -1}), "[Rmsprop] learning rate is -1");
  refuses(make<Rmsprop>(RmspropOptions{.alpha = 1}), "[Rmsprop] alpha is 1");
  refuses(make<Rmsprop>(RmspropOptions{.epsilon = nan}), "epsilon is nan");
  refuses(make<Rmsprop>(RmspropOptions{.weight_decay = -1}), "weight decay is -1");
  refuses(make<Rmsprop>(RmspropOptions{.momentum = -1}), "momentum is -1");
  refuses(make<Adagrad>(AdagradOptions{.rate_decay = -1}), "[Adagrad] rate decay is -1");
  refuses(make<Adagrad>(AdagradOptions{.weight_decay = nan}), "weight decay is nan");
  refuses(make<Adagrad>(AdagradOptions{.initial_sum = -1}), "initial sum is -1");
  refuses(make<Adagrad>(AdagradOptions{.epsilon = -1}), "epsilon is -1");
  refuses(make<Adadelta>(AdadeltaOptions{.rho = 1.5}), "[Adadelta] rho is 1.5");
  refuses(make<Adadelta>(AdadeltaOptions{.epsilon = HUGE_VAL}), "epsilon is inf");
  refuses(make<Lion>(LionOptions{.beta1 = 1}), "[Lion] beta1 is 1");
  refuses(make<Lion>(LionOptions{.beta2 = -0.5}), "beta2 is -0.5");
  refuses(make<Lion>(LionOptions{.weight_decay = -1}), "weight decay is -1");
  refuses(make<Muon>(MuonOptions{.momentum = 1}), "[Muon] momentum is 1");
  refuses(make<Muon>(MuonOptions{.iterations = 0}), "iterations is 0");
  refuses(make<Muon>(MuonOptions{.coefficients = {1, nan, 1}}), "coefficient is nan");
  refuses(make<Muon>(MuonOptions{.adamw = {.beta2 = 1}}), "adamw.beta2 is 1");
  refuses(make<Muon>(MuonOptions{.adamw_patterns = {"x*"}}), "no parameter matches \"x*\"");
  refuses(make<Muon>(MuonOptions{.adamw_patterns = {"w"}}), "no parameter is a matrix");
}

}  // namespace
}  // namespace espalier::optim
