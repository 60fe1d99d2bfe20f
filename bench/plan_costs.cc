// What plans cost besides their runs, and what they save: the time to capture and to plan, the memory of the
// arena over its lower bound (the most that lives at once under the plan's order) and beside eager's peak,
// the blocks of memory that a run takes, and how even the times of runs are.
//
//   build/release/bench/plan_costs [RUNS]
//
// Two threads. Eager's peak and the plan's are beyond parameters, optimiser's state and inputs, which both
// have. Eager's counts the gradients of the step before, which live on; the plan's is its arena and what
// kernels take during a run. Times are of RUNS runs (200 where it is not given, a tenth of them for training
// steps). At the end stand five rounds of at least 1000 runs of a ResNet-20 with one image: how even the
// times of short runs are.

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include <espalier/espalier.h>

using namespace espalier;

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

Allocator& memory() {
  return backend(kCpu).allocator(kCpu);
}

/// The bytes of the gradients that are there.
int64_t gradient_bytes(const runtime::State& state) {
  int64_t bytes = 0;
  for (const auto& [name, tensor] : state.tensors()) {
    const Tensor gradient = tensor.grad();
    if (gradient.defined()) bytes += gradient.numel() * static_cast<int64_t>(size_of(gradient.dtype()));
  }
  return bytes;
}

/// The most that is handed out at once while `work` runs, beyond what was before, in bytes.
int64_t peak_of(const std::function<void()>& work) {
  memory().reset_peak();
  const int64_t before = memory().stats().current;
  work();
  return memory().stats().peak - before;
}

/// One function to be planned.
struct Workload {
  std::string name;
  runtime::Function f;
  runtime::State state;
  std::vector<Tensor> inputs;
  bool training;
};

/// A workload's plan with what a run of it takes.
struct Planned {
  double capturing, planning, timing;  ///< in seconds; the last is to plan by times, none of which are known
  runtime::Runner runner;
  std::vector<Tensor> inputs, results;

  const runtime::Plan& plan() const { return runner.plan(); }
  void run() { runner.run(inputs, results); }
};

Planned plan(const Workload& work) {
  Clock::time_point start = Clock::now();
  const runtime::Graph captured = runtime::capture(work.f, work.inputs, work.state);
  const double capturing = seconds_since(start);
  start = Clock::now();
  const runtime::Graph graph = runtime::optimise(work.training ? captured : runtime::freeze(captured));
  auto made = std::make_shared<const runtime::Plan>(graph);
  const double planning = seconds_since(start);
  start = Clock::now();
  runtime::KernelChoices choices;
  static_cast<void>(runtime::Plan(graph, {.choices = &choices}));
  Planned planned{capturing,   planning, seconds_since(start), runtime::Runner(std::move(made)),
                  work.inputs, {}};
  for (size_t i = work.inputs.size(); i < captured.inputs().size(); ++i) {
    const Tensor& type = captured.value(captured.inputs()[i]).type;
    planned.inputs.push_back(zeros(type.shape(), type.dtype()));
  }
  planned.results = planned.runner.run(planned.inputs);
  for (int i = 0; i < 3; ++i) planned.run();
  return planned;
}

struct Tail {
  double median, p99;  ///< in seconds
  double ratio() const { return p99 / median; }
};

Tail tail_of(Planned& planned, int runs) {
  std::vector<double> times;
  for (int i = 0; i < runs; ++i) {
    const Clock::time_point start = Clock::now();
    planned.run();
    times.push_back(seconds_since(start));
  }
  std::sort(times.begin(), times.end());
  const double median = times[times.size() / 2];
  return {median, times[times.size() * 99 / 100]};
}

void add_row(report::Table& table, const Workload& work, int runs) {
  std::optional<NoGrad> no_grad;
  if (!work.training) no_grad.emplace();
  for (int i = 0; i < 3; ++i) work.f(work.inputs);
  const int64_t eager =
      (work.training ? gradient_bytes(work.state) : 0) + peak_of([&] { work.f(work.inputs); });

  Planned planned = plan(work);
  const int64_t blocks = memory().stats().allocations;
  const int64_t beyond = peak_of([&] { planned.run(); });
  const int64_t taken = memory().stats().allocations - blocks;
  const Tail tail = tail_of(planned, work.training ? std::max(runs / 10, 1) : runs);

  const auto mib = [](double bytes) { return report::fixed(bytes / (1 << 20), 2); };
  const auto arena = static_cast<double>(planned.plan().arena_bytes());
  const auto bound = static_cast<double>(planned.plan().least_arena_bytes());
  table.add_row({work.name, report::fixed(planned.capturing, 2), report::fixed(planned.planning, 2),
                 report::fixed(planned.timing, 2), std::to_string(planned.plan().steps().size()), mib(bound),
                 mib(arena), report::fixed(100 * (arena / bound - 1), 1),
                 mib(arena + static_cast<double>(beyond)), mib(static_cast<double>(eager)),
                 std::to_string(taken), report::fixed(1e3 * tail.median, 3)});
}

/// Five rounds of runs, each with its tail, and the best of them.
report::Table rounds_of(const Workload& work, int runs) {
  const NoGrad no_grad;
  Planned planned = plan(work);
  report::Table table({work.name, "p50 ms", "p99 ms", "p99/p50"});
  const auto add = [&](const std::string& name, const Tail& tail) {
    table.add_row({name, report::fixed(1e3 * tail.median, 3), report::fixed(1e3 * tail.p99, 3),
                   report::fixed(tail.ratio(), 2)});
  };
  Tail best{};
  for (int round = 1; round <= 5; ++round) {
    const Tail tail = tail_of(planned, runs);
    if (round == 1 || tail.ratio() < best.ratio()) best = tail;
    add("round " + std::to_string(round), tail);
  }
  add("best", best);
  return table;
}

template <class Net>
Workload training_step(std::string name, const std::shared_ptr<Net>& net,
                       const std::shared_ptr<optim::Optimiser>& optimiser, Tensor x, Tensor y) {
  return {std::move(name),
          runtime::as_function([net, optimiser](const Tensor& inputs, const Tensor& labels) {
            Tensor loss = cross_entropy((*net)(inputs), labels);
            optimiser->zero_grad();
            backward(loss);
            optimiser->step();
            return loss;
          }),
          runtime::State(*net, *optimiser),
          {std::move(x), std::move(y)},
          true};
}

template <class Net>
Workload forward_pass(std::string name, const std::shared_ptr<Net>& net, Tensor x) {
  nn::eval(*net);
  return {std::move(name),
          runtime::as_function([net](const Tensor& inputs) { return (*net)(inputs); }),
          runtime::State(*net),
          {std::move(x)},
          false};
}

}  // namespace

int main(int argc, char** argv) {
  const int runs = argc > 1 ? std::atoi(argv[1]) : 200;
  if (argc > 2 || runs < 1) {
    std::cerr << "usage: plan_costs [RUNS]\n";
    return 1;
  }
  set_num_threads(2);
  manual_seed(1);
  report::Table table({"", "capture s", "plan s", "timed s", "steps", "bound MiB", "arena MiB", "over %",
                       "plan's peak", "eager's peak", "blocks/run", "median ms"});
  std::optional<report::Table> rounds;
  const auto images = [](int64_t n, int64_t size) { return normal({n, 3, size, size}); };
  const auto labels = [](int64_t n) { return random_integers({n}, 0, 10); };
  const auto sgd = [](auto& net) {
    return std::make_shared<optim::Sgd>(net, optim::SgdOptions{.learning_rate = 0.05, .momentum = 0.9});
  };
  const auto adam = [](auto& net) { return std::make_shared<optim::AdamW>(net, optim::AdamWOptions{}); };
  {
    const auto net = std::make_shared<models::Mlp>(std::vector<int64_t>{784, 1024, 1024, 10});
    add_row(table, training_step("train mlp", net, sgd(*net), normal({64, 784}), labels(64)), runs);
  }
  {
    const auto net = std::make_shared<models::SeedNet>();
    add_row(table, training_step("train seednet", net, sgd(*net), images(64, 32), labels(64)), runs);
  }
  {
    const auto net = std::make_shared<models::ResNetCifar>(3);
    add_row(table, training_step("train resnet20", net, sgd(*net), images(64, 32), labels(64)), runs);
    const Workload one = forward_pass("infer resnet20-1", net, images(1, 32));
    add_row(table, one, runs);
    rounds.emplace(rounds_of(one, std::max(runs, 1000)));
    add_row(table, forward_pass("infer resnet20-64", net, images(64, 32)), std::max(runs / 10, 1));
  }
  {
    const auto net = std::make_shared<models::Gpt>(6, 384, 6, 256);
    const Tensor text = random_integers({4, 256}, 0, 65), next = random_integers({4, 256}, 0, 65);
    add_row(table, training_step("train gpt-mini", net, adam(*net), text, next), runs);
    add_row(table, forward_pass("infer gpt-mini", net, random_integers({1, 256}, 0, 65)),
            std::max(runs / 10, 1));
  }
  std::cout << table << '\n' << *rounds;
}
