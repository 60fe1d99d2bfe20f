#include "runtime/family_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "core/create.h"
#include "core/error.h"
#include "core/parallel.h"
#include "models/resnet_cifar.h"
#include "nn/state.h"
#include "ops/copy.h"
#include "ops/permute.h"
#include "ops/random.h"
#include "ops/relu.h"
#include "runtime/kernel_choices.h"
#include "tests/support/message_of.h"

namespace espalier::runtime {
namespace {

using espalier::test::message_of;
using testing::HasSubstr;

GraphFamily relu_family() {
  return capture_family([](const Tensor& x) { return relu(x); }, {{"rows", 0, 0}}, {zeros({4, 2})});
}

TEST(FamilyRunner, RunsAnyNumberOfExamplesAsTheModelDoes) {
  manual_seed(1);
  models::ResNetCifar net(1);
  nn::eval(net);
  const NoGrad no_grad;
  FamilyRunner runner(capture_family([&](const Tensor& x) { return net(x); }, {{"batch", 0, 0}},
                                     {zeros({4, 3, 16, 16})}, State(net)));
  for (const int64_t batch : {1, 5, 2, 5}) {
    const Tensor x = normal({batch, 3, 16, 16});
    const std::vector<float> expected = net(x).to_vector<float>();
    const std::vector<float> got = runner.run(Inputs(&x, 1))[0].to_vector<float>();
    ASSERT_EQ(got.size(), expected.size());
    // Scores of about 1; batch norms are folded into weights, which moves sums of some hundred products.
    for (size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], 1e-4);
  }
  EXPECT_EQ(runner.plan_count(), 3U);
}

TEST(FamilyRunner, TakesInputsOfAnyLayout) {
  FamilyRunner runner(relu_family());
  const Tensor x = normal({2, 3}), turned = permute(x, {1, 0});
  EXPECT_EQ(runner.run(Inputs(&turned, 1))[0].to_vector<float>(), relu(turned).to_vector<float>());
}

TEST(FamilyRunner, KeepsTheLatestPlans) {
  FamilyRunner runner(relu_family(), 2);
  const BatchRunner* const one = &runner.at({{"rows", 1}});
  runner.at({{"rows", 2}});
  EXPECT_EQ(&runner.at({{"rows", 1}}), one);
  runner.at({{"rows", 3}});  // in the place of 2
  EXPECT_EQ(runner.plan_count(), 2U);
  EXPECT_EQ(&runner.at({{"rows", 1}}), one);
  EXPECT_THAT(message_of<ValueError>([] { FamilyRunner(relu_family(), 0); }), HasSubstr("at least 1"));
}

TEST(FamilyRunner, HasAPlanForEachNumberOfThreads) {
  FamilyRunner runner(relu_family());
  for (const int threads : {1, 2}) {
    const ThreadCountGuard guard(threads);
    // So large that it pays to use them.
    EXPECT_EQ(runner.at({{"rows", 1000000}}).plan().threads(), threads);
  }
  EXPECT_EQ(runner.plan_count(), 2U);
}

TEST(FamilyRunner, RunsSingleGraphs) {
  FamilyRunner runner(capture([](const Tensor& x) { return relu(x); }, {zeros({4, 2})}));
  const Tensor fits = ones({4, 2}), larger = ones({5, 2});
  EXPECT_EQ(runner.run(Inputs(&fits, 1))[0].shape(), (Shape{4, 2}));
  EXPECT_EQ(message_of<ShapeError>([&] { runner.run(Inputs(&larger, 1)); }),
            "[input input0] axis 0 is 5; expected f32[4, 2]");
}

TEST(FamilyRunner, ChoosesKernelsByTimes) {
  models::ResNetCifar net(1);
  nn::eval(net);
  const NoGrad no_grad;
  FamilyRunner runner(capture_family([&](const Tensor& x) { return net(x); }, {{"batch", 0, 0}},
                                     {zeros({4, 3, 16, 16})}, State(net)));
  KernelChoices choices;
  runner.choose_kernels_by(&choices);
  runner.at({{"batch", 1}});
  const size_t timed = choices.problems().size();
  EXPECT_GT(timed, 0U);
  runner.at({{"batch", 2}});
  EXPECT_GT(choices.problems().size(), timed);
}

}  // namespace
}  // namespace espalier::runtime
