// How plans use threads: which steps are split, which run side by side, and that nothing else changes.

#include <algorithm>
#include <set>
#include <sstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "core/error.h"
#include "core/parallel.h"
#include "models/mlp.h"
#include "models/two_branch_net.h"
#include "ops/accumulate.h"
#include "ops/add.h"
#include "ops/copy.h"
#include "ops/cross_entropy.h"
#include "ops/embedding.h"
#include "ops/matmul.h"
#include "ops/multiply.h"
#include "ops/random.h"
#include "ops/slice.h"
#include "optim/adam.h"
#include "runtime/compile.h"
#include "runtime/explain.h"
#include "runtime/passes.h"
#include "runtime/step_cost_internal.h"
#include "tests/runtime/random_function.h"
#include "tests/support/message_of.h"

namespace espalier::runtime {
namespace {

using espalier::test::message_of;
using testing::AllOf;
using testing::HasSubstr;

using Mlp = models::Mlp;
using Towers = models::TwoBranchNet<Mlp>;

constexpr PlanOptions kAll{.threads = 3, .side_by_side = SideBySide::all};

template <class Net>
Graph graph_of(Net& net, const Tensor& x) {
  return optimise(freeze(capture([&](const Tensor& in) { return net(in); }, {x}, State(net))));
}

std::vector<float> answer(Runner& runner, const Tensor& x) {
  return runner.run(Inputs(&x, 1))[0].to_vector<float>();
}

/// The buffers that a step uses, and those of them that it writes.
struct Uses {
  std::set<int> all, written;
};

Uses uses_of(const Step& step) {
  Uses uses;
  for (const Operand& input : step.inputs) {
    if (input.buffer >= 0) uses.all.insert(input.buffer);
  }
  for (const Operand& output : step.outputs) uses.written.insert(output.buffer);
  if (step.scratch >= 0) uses.written.insert(step.scratch);
  uses.all.insert(uses.written.begin(), uses.written.end());
  return uses;
}

/// Whether one step is over before the other begins, at whatever pace the lanes go.
bool one_is_before(const Step& a, const Step& b) {
  return a.stage != b.stage || a.lane == b.lane;
}

bool overlap(const Buffer& a, const Buffer& b) {
  return a.place == Buffer::Place::arena && b.place == Buffer::Place::arena && a.bytes > 0 && b.bytes > 0 &&
         a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes;
}

/// Steps that may run at one time touch nothing that another of them writes; and of two buffers in one place
/// all uses of one come before all of the other.
void expect_safe(const Plan& plan) {
  const std::vector<Step>& steps = plan.steps();
  const std::vector<Buffer>& buffers = plan.buffers();
  std::vector<Uses> uses;
  for (const Step& step : steps) uses.push_back(uses_of(step));
  for (size_t i = 0; i < steps.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (one_is_before(steps[i], steps[j])) continue;
      for (const int a : uses[i].all) {
        for (const int b : uses[j].all) {
          const Buffer &one = buffers[static_cast<size_t>(a)], &other = buffers[static_cast<size_t>(b)];
          ASSERT_FALSE(a == b && (uses[i].written.contains(a) || uses[j].written.contains(a)))
              << "steps " << j << " and " << i << " share buffer " << a;
          ASSERT_FALSE(a != b && overlap(one, other)) << "steps " << j << " and " << i;
        }
      }
    }
  }
  for (size_t a = 0; a < buffers.size(); ++a) {
    for (size_t b = 0; b < a; ++b) {
      const Buffer &one = buffers[a], &other = buffers[b];
      if (one.first < 0 || other.first < 0 || !overlap(one, other)) continue;
      ASSERT_TRUE(one.last < other.first || other.last < one.first) << "buffers " << b << " and " << a;
    }
  }
}

size_t stages_with_lanes(const Plan& plan) {
  return static_cast<size_t>(std::count_if(plan.stages().begin(), plan.stages().end(),
                                           [](const Stage& stage) { return stage.lanes.size() > 1; }));
}

/// One row times matrices of 256 KiB, each too little for two threads by itself.
TEST(PlanThreads, ShareWeightsThatOnlyAllCachesHold) {
  if (second_level_cache() < 1 << 20) GTEST_SKIP() << "what such a cache holds wins too little";
  const auto threads_of_layers = [](double caches) {
    constexpr int64_t kWidth = 256;
    const double bytes = caches * static_cast<double>(second_level_cache());
    const auto layers = static_cast<size_t>(bytes / (4.0 * kWidth * kWidth));
    models::Mlp net(std::vector<int64_t>(layers + 1, kWidth));
    const Plan plan(graph_of(net, zeros({1, kWidth})), {.threads = 2});
    std::set<int> threads;
    for (const Step& step : plan.steps()) threads.insert(step.threads);
    EXPECT_EQ(plan.steps().size(), layers);
    return threads;
  };
  EXPECT_EQ(threads_of_layers(0.9), std::set<int>{1});
  EXPECT_EQ(threads_of_layers(1.5), std::set<int>{2});
  EXPECT_EQ(threads_of_layers(2.5), std::set<int>{1});
}

/// A table that only all caches hold, of which a run reads a row.
TEST(PlanThreads, DoNotShareATableForTheSakeOfARow) {
  constexpr size_t kWidth = 256;
  const auto rows = static_cast<int64_t>(second_level_cache() * 3 / 2 / (4 * kWidth));
  const Tensor table = zeros({rows, kWidth}), row = zeros({1}, Dtype::i64);
  const auto look_up = [&](const Tensor& at) { return embedding(table, at); };
  const Plan plan(capture(look_up, {row}), {.threads = 2});
  ASSERT_EQ(plan.steps().size(), 1u);
  EXPECT_EQ(plan.steps()[0].threads, 1);
}

TEST(PlanThreads, AreAnOption) {
  Mlp net({256, 512, 10});
  const Graph graph = graph_of(net, zeros({64, 256}));
  EXPECT_EQ(Plan(graph, {.threads = 3}).threads(), 3);
  EXPECT_EQ(Plan(graph, {.threads = 1}).threads(), 1);
  const ThreadCountGuard guard(2);
  EXPECT_EQ(Plan(graph).threads(), 2);
  for (const int wrong : {-1, kMaxThreads + 1}) {
    EXPECT_THAT(message_of<ValueError>([&] { Plan(graph, {.threads = wrong}); }),
                HasSubstr(std::to_string(wrong) + " threads"));
  }
}

TEST(PlanThreads, ASmallNetworkStaysOnItsCallersThread) {
  Mlp net({64, 64, 10});
  EXPECT_EQ(Plan(graph_of(net, zeros({1, 64})), {.threads = 4}).threads(), 1);
  optim::Adam adam(net, {.learning_rate = 1e-3});
  const auto step = [&](const Tensor& x, const Tensor& labels) {
    const Tensor loss = cross_entropy(net(x), labels);
    adam.zero_grad();
    backward(loss);
    adam.step();
    return loss;
  };
  const Plan plan(optimise(capture(step, {zeros({32, 64}), zeros({32}, Dtype::i64)}, State(net, adam))),
                  {.threads = 4});
  EXPECT_EQ(plan.threads(), 1);
  for (const Step& one : plan.steps()) EXPECT_EQ(one.threads, 1) << one.operation->name();
}

TEST(PlanThreads, SmallStepsOfALargePlanAreNotSplit) {
  Mlp net({256, 512, 4});
  const Plan plan(graph_of(net, zeros({64, 256})), {.threads = 2});
  ASSERT_EQ(plan.steps().size(), 2u);
  EXPECT_EQ(plan.steps()[0].threads, 2);  // 17 million operations
  EXPECT_EQ(plan.steps()[1].threads, 1);  // 0.3 million
}

/// Towers of products that take little more than what splitting them costs.
Towers towers() {
  manual_seed(1);
  const std::vector<int64_t> widths(5, 384);
  return {Mlp(widths), Mlp(widths)};
}

TEST(PlanThreads, TowersOfSmallStepsRunSideBySide) {
  Towers net = towers();
  const Graph graph = graph_of(net, zeros({1, 384}));
  const Plan plan(graph, {.threads = 2});
  EXPECT_THAT(plan.stages()[0].lanes,
              testing::ElementsAre(testing::ElementsAre(0, 1, 2), testing::ElementsAre(3, 4, 5)));
  // One more product beside nothing, and the last, which adds what the other tower gave.
  EXPECT_EQ(plan.stages().size(), 3u);
  EXPECT_EQ(stages_with_lanes(Plan(graph, {.threads = 2, .side_by_side = SideBySide::none})), 0u);
  EXPECT_EQ(stages_with_lanes(Plan(graph, {.threads = 1, .side_by_side = SideBySide::all})), 0u);
}

TEST(PlanThreads, TablesSayWhichLaneAStepIsIn) {
  Towers net = towers();
  Runner runner(std::make_shared<const Plan>(graph_of(net, zeros({1, 384})), PlanOptions{.threads = 2}));
  const Tensor x = zeros({1, 384});
  std::ostringstream table;
  table << step_table(explain(runner, Inputs(&x, 1), 1));
  EXPECT_THAT(table.str(), AllOf(HasSubstr("lane 1 of 2"), HasSubstr("lane 2 of 2")));
}

TEST(PlanThreads, LargeStepsRunOneAfterTheOther) {
  Towers net{Mlp({512, 1024, 512}), Mlp({512, 1024, 512})};
  const Plan plan(graph_of(net, zeros({64, 512})), {.threads = 2});
  EXPECT_EQ(stages_with_lanes(plan), 0u);
  EXPECT_EQ(plan.steps()[0].threads, 2);
}

TEST(PlanThreads, LanesGiveTheBitsOfOneThread) {
  Towers net = towers();
  const Graph graph = graph_of(net, zeros({1, 384}));
  Runner serial(std::make_shared<const Plan>(graph, PlanOptions{.threads = 1}));
  Runner lanes(std::make_shared<const Plan>(graph, kAll));
  ASSERT_GT(stages_with_lanes(lanes.plan()), 0u);
  for (int i = 0; i < 20; ++i) {
    const Tensor x = normal({1, 384});
    EXPECT_EQ(answer(lanes, x), answer(serial, x));
  }
}

TEST(PlanThreads, ManyCallersShareAPlanWithLanes) {
  Towers net = towers();
  const auto plan = std::make_shared<const Plan>(graph_of(net, zeros({1, 384})), kAll);
  struct Caller {
    Tensor input = normal({1, 384});
    std::vector<float> expected;
    int wrong = 0;
  };
  std::vector<Caller> callers(8);
  Runner alone(plan);
  for (Caller& caller : callers) caller.expected = answer(alone, caller.input);
  std::vector<std::thread> threads;
  for (Caller& caller : callers) {
    threads.emplace_back([&plan, &caller] {
      Runner runner(plan);
      for (int i = 0; i < 20; ++i) caller.wrong += answer(runner, caller.input) != caller.expected;
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const Caller& caller : callers) EXPECT_EQ(caller.wrong, 0);
}

/// The results, then the state after two runs.
std::vector<std::vector<float>> outcome(const Plan& plan, const Tensor& input, const Tensor& state,
                                        const Tensor& start) {
  copy_(state, start);
  manual_seed(3);
  Runner runner(std::make_shared<const Plan>(plan));
  runner.run(Inputs(&input, 1));
  std::vector<std::vector<float>> all;
  for (const Tensor& result : runner.run(Inputs(&input, 1))) all.push_back(result.to_vector<float>());
  all.push_back(state.to_vector<float>());
  return all;
}

TEST(PlanThreads, RandomGraphsGiveTheSameBitsSideBySide) {
  constexpr uint64_t kFunctions = 400;
  const Tensor input = normal({8, 8}), start = normal({8, 8}), state = empty({8, 8});
  State all;
  all.add("state", state);
  size_t lanes = 0;
  for (uint64_t seed = 0; seed < kFunctions; ++seed) {
    SCOPED_TRACE(seed);
    const Graph graph =
        capture([&](const Tensor& x) { return test::random_function(seed, x, state); }, {input}, all);
    const Plan serial(graph, {.threads = 1}), beside(graph, kAll);
    expect_safe(serial);
    expect_safe(beside);
    if (testing::Test::HasFatalFailure()) return;
    EXPECT_GE(beside.arena_bytes(), beside.least_arena_bytes());
    EXPECT_EQ(outcome(beside, input, state, start), outcome(serial, input, state, start));
    lanes += stages_with_lanes(beside);
  }
  EXPECT_GT(lanes, kFunctions);
}

TEST(PlanThreads, StatesThatShareMemoryAreNotTouchedSideBySide) {
  const Tensor memory = from_values({1.0f, 2.0f, 3.0f}, {3});
  Graph graph;
  const ValueId x = graph.add_input("x", zeros({2})), whole = graph.add_state("whole", memory),
                part = graph.add_state("part", slice(memory, 0, {0, 2}));
  const std::vector<ValueId> product = {whole, whole}, sum = {part, x};
  const ValueId squares = graph.add(Multiply(), product)[0], updated = graph.add(Accumulate(), sum)[0];
  graph.set_outputs({squares});
  graph.update_state(part, updated);
  EXPECT_EQ(stages_with_lanes(Plan(graph, kAll)), 0u);
}

}  // namespace
}  // namespace espalier::runtime
