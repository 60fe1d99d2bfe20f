#include "runtime/explain.h"

#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "core/error.h"
#include "nn/linear.h"
#include "ops/add.h"
#include "ops/conv2d.h"
#include "ops/random.h"
#include "ops/relu.h"
#include "ops/reshape.h"
#include "runtime/capture.h"
#include "tests/support/message_of.h"

namespace espalier::runtime {
namespace {

using testing::HasSubstr;
using testing::Not;

Graph two_layers(const nn::Linear& layer, nn::Linear& owner) {
  const NoGrad no_grad;
  return capture([&](const Tensor& x) { return reshape(relu(layer(x)) + x, {512}); }, {normal({8, 64})},
                 State(owner));
}

TEST(Explain, ReportsEveryStep) {
  nn::Linear layer(64, 64);
  Runner runner(std::make_shared<const Plan>(two_layers(layer, layer)));
  const Tensor inputs[] = {normal({8, 64})};
  const std::vector<StepReport> steps = explain(runner, inputs, 5);
  ASSERT_EQ(steps.size(), runner.plan().steps().size());
  EXPECT_EQ(steps[0].step->operation->name(), "linear");
  EXPECT_EQ(steps[0].cost.flops, 2 * 8 * 64 * 64 + 8 * 64);
  for (const StepReport& step : steps) {
    EXPECT_GT(step.seconds, 0);
    EXPECT_LT(step.seconds, 1);
    EXPECT_GT(step.cost.bytes, 0);
  }
  std::ostringstream table;
  table << step_table(steps);
  EXPECT_THAT(table.str(), HasSubstr("linear"));
  EXPECT_THAT(table.str(), HasSubstr("f32[8, 64]"));
  const std::string chart = draw(runner.plan(), steps).text;
  EXPECT_THAT(chart, HasSubstr("input0"));
  EXPECT_THAT(chart, HasSubstr("class=\"f1\""));
  EXPECT_THAT(test::message_of<ValueError>([&] { explain(runner, inputs, 0); }), HasSubstr("0 rounds"));
}

TEST(Explain, GraphsAreDrawnWithTheirViews) {
  nn::Linear layer(64, 64);
  const std::string chart = draw(two_layers(layer, layer)).text;
  for (const char* name : {"input0", "linear", "relu", "reshape", "add", "reads weight bias"})
    EXPECT_THAT(chart, HasSubstr(name));
  EXPECT_THAT(chart, Not(HasSubstr("class=\"f1\"")));
}

TEST(Explain, SaysWhatTheChosenKernelsWereChosenFrom) {
  const Tensor x = normal({2, 16, 12, 12}), weight = normal({16, 16, 3, 3});
  KernelChoices choices;
  Runner runner(std::make_shared<const Plan>(
      capture([&](const Tensor& images) { return relu(conv2d(images, weight, {}, {.padding = 1})); }, {x}),
      PlanOptions{.choices = &choices}));
  const Tensor inputs[] = {x};
  EXPECT_TRUE(explain(runner, inputs, 1)[0].candidates.empty());
  const std::vector<StepReport> steps = explain(runner, inputs, 1, &choices);
  ASSERT_EQ(steps[0].candidates.size(), 3U);
  EXPECT_EQ(steps[0].candidates[0].kernel, steps[0].step->kernel->name);
  EXPECT_TRUE(steps[1].candidates.empty());
  std::ostringstream table;
  table << step_table(steps);
  EXPECT_THAT(table.str(), HasSubstr("other kernels"));
  for (size_t i = 1; i < 3; ++i) {
    const std::string other =
        steps[0].candidates[i].kernel + ' ' +
        report::fixed(steps[0].candidates[i].seconds / steps[0].candidates[0].seconds, 2) + " x";
    EXPECT_THAT(table.str(), HasSubstr(other));
    EXPECT_THAT(draw(runner.plan(), steps).text, HasSubstr(other));
  }
}

}  // namespace
}  // namespace espalier::runtime
