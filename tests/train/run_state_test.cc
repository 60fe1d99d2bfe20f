#include "train/run_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "nn/linear.h"
#include "ops/copy.h"
#include "ops/random.h"
#include "optim/adam.h"
#include "tests/support/message_of.h"
#include "train/early_stopping.h"

namespace espalier::training {
namespace {

using test::message_of;
using testing::HasSubstr;

/// State of its own memory, as a file would give it.
RunState::Parts copied(const RunState::Parts& parts) {
  RunState::Parts copies;
  for (const auto& [part, tensors] : parts) {
    for (const auto& [name, tensor] : tensors) copies[part][name] = copy(tensor.detach());
  }
  return copies;
}

TEST(RunState, GivesEachPartBackWhatItHad) {
  nn::Linear model(2, 3);
  optim::Adam adam(model, {.learning_rate = 0.5});
  EarlyStopping stopping;
  RunState run;
  run.add("model", model).add("optimiser", adam).add("stopping", stopping).add_random();
  manual_seed(7);
  stopping.step(3);
  const RunState::Parts saved = copied(run.state());
  EXPECT_EQ(saved.size(), 4U);
  EXPECT_EQ(saved.at("model").size(), 2U);
  const float next = uniform({1}).data<float>()[0];

  const std::vector<float> weights = model.weight.to_vector<float>();
  const NoGrad no_grad;
  copy_(model.weight, zeros({3, 2}));
  adam.set_learning_rate(0.25);
  stopping.step(1);
  manual_seed(8);
  run.load_state(saved);
  EXPECT_EQ(model.weight.to_vector<float>(), weights);
  EXPECT_EQ(adam.learning_rate(), 0.5);
  EXPECT_EQ(stopping.best(), 3);
  EXPECT_EQ(uniform({1}).data<float>()[0], next);
}

TEST(RunState, NamesThePartsThatDoNotFit) {
  nn::Linear model(2, 3), other(2, 4);
  EarlyStopping stopping;
  RunState run, wider;
  run.add("model", model).add("stopping", stopping);
  wider.add("model", other).add("average", model);
  EXPECT_THAT(message_of<ValueError>([&] { run.load_state(wider.state()); }),
              HasSubstr("stopping is missing, average is not in this run"));
  RunState other_shape;
  other_shape.add("model", other).add("stopping", stopping);
  EXPECT_THAT(
      message_of<ValueError>([&] { run.load_state(other_shape.state()); }),
      testing::AllOf(HasSubstr("[model] the checkpoint's state does not fit"), HasSubstr("f32[4, 2]")));
  EXPECT_THROW(run.add("model", other), ValueError);
}

}  // namespace
}  // namespace espalier::training
