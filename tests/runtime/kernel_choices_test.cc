#include "runtime/kernel_choices.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/create.h"
#include "core/error.h"
#include "core/parallel.h"
#include "nn/conv2d.h"
#include "ops/conv2d.h"
#include "ops/random.h"
#include "runtime/compile.h"
#include "tests/support/message_of.h"
#include "tests/support/temporary_folder.h"

namespace espalier::runtime {
namespace {

using test::message_of;
using test::TemporaryFolder;
using testing::HasSubstr;

/// A convolution that Winograd's method and the library can compute.
Graph convolution() {
  const Tensor x = normal({2, 16, 12, 12}), weight = normal({16, 16, 3, 3});
  return capture([=](const Tensor& images) { return conv2d(images, weight, {}, {.padding = 1}); }, {x});
}

std::string kernel_of(const Plan& plan) {
  return plan.steps().at(0).kernel->name;
}

TEST(KernelChoices, TimeEachKernelOfAProblemOnce) {
  const Graph graph = convolution();
  KernelChoices choices;
  const Plan plan(graph, {.threads = 1, .choices = &choices});
  ASSERT_EQ(choices.problems().size(), 1u);
  const auto& [problem, timings] = *choices.problems().begin();
  EXPECT_THAT(problem, HasSubstr("conv2d"));
  EXPECT_THAT(problem, HasSubstr("f32[2, 16, 12, 12]"));
  std::vector<std::string> kernels;
  for (const KernelTiming& timing : timings) {
    EXPECT_GT(timing.seconds, 0);
    EXPECT_GE(timing.seconds, timings.front().seconds);
    kernels.push_back(timing.kernel);
  }
  EXPECT_THAT(kernels, testing::UnorderedElementsAre("winograd 4x4", "winograd 2x2", "onednn"));
  EXPECT_EQ(kernel_of(plan), kernels.front());
  const double known = timings.front().seconds;
  const Plan again(graph, {.threads = 1, .choices = &choices});
  EXPECT_EQ(choices.problems().begin()->second.front().seconds, known);
}

TEST(KernelChoices, DecideWhatAPlanRuns) {
  const Graph graph = convolution();
  KernelChoices timed;
  const Plan first(graph, {.threads = 1, .choices = &timed});
  const std::string problem = timed.problems().begin()->first;
  const Tensor x = normal({2, 16, 12, 12});
  const std::vector<float> usual = Runner(std::make_shared<const Plan>(graph, PlanOptions{.threads = 1}))
                                       .run(Inputs(&x, 1))[0]
                                       .to_vector<float>();
  for (const std::string kernel : {"winograd 4x4", "winograd 2x2", "onednn"}) {
    KernelChoices choices;
    choices.add(problem, {{kernel, 1.0}});
    const auto plan = std::make_shared<const Plan>(graph, PlanOptions{.threads = 1, .choices = &choices});
    EXPECT_EQ(kernel_of(*plan), kernel);
    const std::vector<float> found = Runner(plan).run(Inputs(&x, 1))[0].to_vector<float>();
    // Sums of 144 products of unit size, by F(4, 3) at worst: its digits, see ops/winograd_choice.cc.
    for (size_t i = 0; i < usual.size(); ++i) EXPECT_NEAR(found[i], usual[i], 2e-4) << kernel;
  }
  KernelChoices unknown;
  unknown.add(problem, {{"a kernel of another version", 1.0}});
  EXPECT_EQ(kernel_of(Plan(graph, {.threads = 1, .choices = &unknown})),
            kernel_of(Plan(graph, {.threads = 1})));
}

TEST(KernelChoices, DecideOnTheNumberOfThreads) {
  const Graph graph = convolution();
  KernelChoices timed;
  static_cast<void>(Plan(graph, {.threads = 2, .choices = &timed}));
  ASSERT_EQ(timed.problems().size(), 2u);
  for (const int best : {1, 2}) {
    KernelChoices choices;
    for (const auto& [problem, timings] : timed.problems()) {
      const bool one = problem.ends_with("1 thread");
      // Far enough apart to be worth waking a thread.
      choices.add(problem, {{timings.front().kernel, one == (best == 1) ? 1e-3 : 2e-3}});
    }
    const Plan plan(graph, {.threads = 2, .choices = &choices});
    EXPECT_EQ(plan.steps().at(0).threads, best);
    EXPECT_EQ(plan.threads(), best);
  }
}

TEST(KernelChoices, ServeCompiledFunctions) {
  nn::Conv2d layer(16, 16, 3, {.padding = 1});
  KernelChoices choices;
  const ThreadCountGuard one(1);
  auto f = compile([&](const Tensor& x) { return layer(x); }, layer);
  f.choose_kernels_by(&choices);
  f(normal({2, 16, 12, 12}));
  EXPECT_EQ(choices.problems().size(), 1u);
}

TEST(KernelChoices, AreKeptInAFileForEachMachine) {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder / "kernels.json";
  EXPECT_TRUE(KernelChoices::load(path).problems().empty());
  std::ofstream(path) << R"({"format": "espalier kernel choices", "version": 1, "machines":
      {"another": {"its problem": [{"kernel": "its kernel", "us": 2.5}]}}})";
  KernelChoices choices = KernelChoices::load(path);
  EXPECT_TRUE(choices.problems().empty());
  choices.add("a problem", {{"slow", 2e-3}, {"fast", 1.5e-6}});
  choices.save(path);
  const KernelChoices loaded = KernelChoices::load(path);
  ASSERT_NE(loaded.find("a problem"), nullptr);
  EXPECT_EQ(loaded.find("its problem"), nullptr);
  EXPECT_EQ(loaded.find("a problem")->front().kernel, "fast");
  EXPECT_DOUBLE_EQ(loaded.find("a problem")->front().seconds, 1.5e-6);
  std::ifstream file(path);
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  EXPECT_THAT(text, HasSubstr("its kernel"));
}

TEST(KernelChoices, RefuseOtherFiles) {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder / "kernels.json";
  const auto refusal = [&](const char* text) {
    std::ofstream(path) << text;
    return message_of<FormatError>([&] { KernelChoices::load(path); });
  };
  EXPECT_THAT(refusal(""), HasSubstr("kernels.json"));
  EXPECT_THAT(refusal("[1, 2"), HasSubstr("holds no kernel choices"));
  EXPECT_THAT(refusal(R"({"format": "another"})"), HasSubstr("holds no kernel choices"));
  EXPECT_THAT(refusal(R"({"format": "espalier kernel choices", "version": 2})"), HasSubstr("version 2"));
  constexpr const char* kTiming = R"({"format": "espalier kernel choices", "version": 1, "machines":
      {"m": {"p": %s}}})";
  for (const char* timings :
       {"[]", R"([{"kernel": "k", "us": -1}])", R"([{"kernel": "k"}])", R"({"kernel": 1})"}) {
    char text[300];
    std::snprintf(text, sizeof text, kTiming, timings);
    EXPECT_THAT(refusal(text), HasSubstr("kernels.json")) << timings;
  }
  EXPECT_THROW(KernelChoices().add("p", {}), ValueError);
}

}  // namespace
}  // namespace espalier::runtime
