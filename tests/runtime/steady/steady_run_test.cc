// A run of a plan takes no memory and asks the system for nothing.

#include <memory>
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/door.h"
#include "core/parallel.h"
#include "ops/slice.h"
#include "runtime/batch_runner.h"
#include "runtime/passes.h"
#include "runtime/runner.h"
#include "tests/runtime/steady/allocations.h"
#include "tests/runtime/steady/system_calls.h"
#include "tests/runtime/steady/workloads.h"

namespace espalier::runtime {
namespace {

using testing::Contains;
using testing::IsEmpty;
using testing::Key;

constexpr int kRuns = 5;

/// What is planned, ready to run.
class Planned {
 public:
  explicit Planned(const test::Workload& work) : inputs_(work.inputs) {
    std::optional<NoGrad> no_grad;
    if (!work.training) no_grad.emplace();
    const Graph graph = capture(work.f, work.inputs, work.state);
    runner_ = std::make_unique<Runner>(
        std::make_shared<const Plan>(optimise(work.training ? graph : freeze(graph))));
    for (size_t i = inputs_.size(); i < graph.inputs().size(); ++i) {
      const Tensor& type = graph.value(graph.inputs()[i]).type;
      inputs_.push_back(zeros(type.shape(), type.dtype()));
    }
    results_ = runner_->run(inputs_);
    run();
  }

  void run() {
    for (int i = 0; i < kRuns; ++i) runner_->run(inputs_, results_);
  }

 private:
  std::vector<Tensor> inputs_, results_;
  std::unique_ptr<Runner> runner_;
};

/// A batch in as many parts as it has examples.
class InParts {
 public:
  explicit InParts(const test::Workload& work)
      : inputs_(work.inputs),
        runner_({[&](int64_t examples) { return graph_of(work, examples); }, {0}, inputs_[0].size(0)},
                {.parts = inputs_[0].size(0)}) {
    results_ = runner_.run(inputs_);
    run();
  }

  void run() {
    for (int i = 0; i < kRuns; ++i) runner_.run(inputs_, results_);
  }
  int64_t parts() const { return runner_.parts(); }

 private:
  static Graph graph_of(const test::Workload& work, int64_t examples) {
    const NoGrad no_grad;
    std::vector<Tensor> inputs = work.inputs;
    inputs[0] = slice(inputs[0], 0, {0, examples});
    return freeze(capture(work.f, inputs, work.state));
  }

  std::vector<Tensor> inputs_, results_;
  BatchRunner runner_;
};

// Of oneDNN itself, which takes memory and gives it back inside each execution: a hash table of the
// arguments, and for each thread notes on its part of the scratch memory. Seen of 2.6.3 with two threads: 6
// calls for a product by dnnl_sgemm, 12 to 16 for the average primitive of these networks.
constexpr int64_t kLibraryCalls = 20;

TEST(SteadyRun, TakesNoMemory) {
  const ThreadCountGuard threads(2);
  for (const test::Workload& work : test::steady_workloads()) {
    SCOPED_TRACE(work.name);
    Planned planned(work);
    const test::HeapWatch heap;
    planned.run();
    const test::HeapCalls calls = heap.calls();
    EXPECT_EQ(calls.own, 0);
    EXPECT_LE(calls.library, kLibraryCalls * calls.executions);
  }
}

TEST(SteadyRun, TakesNoMemoryForParts) {
  const ThreadCountGuard threads(2);
  int cut = 0;
  for (const test::Workload& work : test::steady_workloads()) {
    if (work.training || work.inputs.empty()) continue;
    SCOPED_TRACE(work.name);
    InParts batch(work);
    cut += batch.parts() > 1;
    // Two threads that meet in a primitive for the first time make a second set of its arguments, in any of
    // the first runs. It stays, so that this ends.
    int64_t calls = 1;
    for (int round = 0; round < 20 && calls > 0; ++round) {
      const test::HeapWatch heap;
      batch.run();
      calls = heap.calls().own;
    }
    EXPECT_EQ(calls, 0);
  }
  EXPECT_GE(cut, 4);
}

// With more threads than two, regions of fewer parts must not end the others.
TEST(SteadyRun, MakesNoSystemCalls) {
  const ThreadCountGuard threads(4);
  for (const test::Workload& work : test::steady_workloads()) {
    SCOPED_TRACE(work.name);
    Planned planned(work);
    test::SystemCalls calls = test::system_calls_of([&] { planned.run(); });
    if (!calls.refusal.empty()) GTEST_SKIP() << calls.refusal;
    // How the team's threads wait for each other.
    calls.by_number.erase(SYS_futex);
    calls.by_number.erase(SYS_sched_yield);
    EXPECT_THAT(calls.by_number, IsEmpty());
  }
}

TEST(SteadyRun, SeesWhatEagerStepsTake) {
  const test::Workload work = test::steady_workloads().front();
  work.f(work.inputs);
  const test::HeapWatch heap;
  work.f(work.inputs);
  EXPECT_GT(heap.calls().own, 100);
}

TEST(SteadyRun, SeesSystemCalls) {
  const test::SystemCalls calls = test::system_calls_of([] { static_cast<void>(getppid()); });
  if (!calls.refusal.empty()) GTEST_SKIP() << calls.refusal;
  EXPECT_THAT(calls.by_number, Contains(Key(SYS_getppid)));
}

}  // namespace
}  // namespace espalier::runtime
