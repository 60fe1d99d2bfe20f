// What threads save plans, in turns in one process: the times of a plan for all threads, and how many times
// as long others take: a plan for one thread, a plan that runs no steps side by side, and the batch in one
// part a thread, in up to 16 parts, and in as many, a number that stands first, as are chosen where nobody
// says so (runtime::BatchRunner).
//
//   build/release/bench/plan_threads [SECONDS [NAME]]
//
// Two threads; SECONDS (1 where it is not given) for each comparison, of the workloads whose name contains
// NAME. Ratios are medians over rounds, each a block of runs of both. Then, with --steps after NAME, the
// steps of both plans.

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <string>
#include <vector>

#include <espalier/espalier.h>

using namespace espalier;

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// One function to be planned, and how to make its input.
struct Workload {
  std::string name;
  runtime::Function f;
  runtime::State state;
  std::function<std::vector<Tensor>(int64_t)> inputs;  ///< of a batch
  int64_t batch;
  bool training;
};

/// A plan with what a run of it takes.
class Planned {
 public:
  Planned(const Workload& work, int64_t batch, const runtime::PlanOptions& options)
      : inputs_(work.inputs(batch)), runner_(plan_of(work, inputs_, options)) {
    const auto& all = runner_.plan().graph().inputs();
    for (size_t i = inputs_.size(); i < all.size(); ++i) {
      const Tensor& type = runner_.plan().graph().value(all[i]).type;
      inputs_.push_back(zeros(type.shape(), type.dtype()));
    }
    results_ = runner_.run(inputs_);
    run();
  }

  void run() { runner_.run(inputs_, results_); }
  const runtime::Plan& plan() const { return runner_.plan(); }
  std::vector<double> step_times() { return runner_.time_steps(inputs_); }

 private:
  static std::shared_ptr<const runtime::Plan> plan_of(const Workload& work, Inputs inputs,
                                                      const runtime::PlanOptions& options) {
    const runtime::Graph graph = runtime::capture(work.f, inputs, work.state);
    return std::make_shared<const runtime::Plan>(
        runtime::optimise(work.training ? graph : runtime::freeze(graph)), options);
  }

  std::vector<Tensor> inputs_, results_;
  runtime::Runner runner_;
};

/// The batch of a workload in parts.
class InParts {
 public:
  InParts(const Workload& work, int64_t parts)
      : inputs_(work.inputs(work.batch)), runner_({at(work), {0}, work.batch}, {.parts = parts}) {
    results_ = runner_.run(inputs_);
    run();
  }

  void run() { runner_.run(inputs_, results_); }
  int64_t parts() const { return runner_.parts(); }

 private:
  static std::function<runtime::Graph(int64_t)> at(const Workload& work) {
    return [&work](int64_t examples) {
      return runtime::freeze(runtime::capture(work.f, work.inputs(examples), work.state));
    };
  }

  std::vector<Tensor> inputs_, results_;
  runtime::BatchRunner runner_;
};

using Work = std::function<void()>;

double seconds_of(const Work& work, int runs) {
  const Clock::time_point start = Clock::now();
  for (int i = 0; i < runs; ++i) work();
  return seconds_since(start) / runs;
}

struct Comparison {
  double seconds;  ///< of the first
  double ratio;    ///< of the second's time to it
};

/// In blocks of 20 ms, of which the first run counts for nothing: threads are asleep then.
Comparison compare(const Work& first, const Work& second, double seconds) {
  const double once = std::max(seconds_of(first, 3), 1e-7);
  const int runs = std::max(1, static_cast<int>(0.02 / once));
  std::vector<double> times, ratios;
  const Clock::time_point start = Clock::now();
  while (ratios.size() < 5 || seconds_since(start) < seconds) {
    first();
    times.push_back(seconds_of(first, runs));
    second();
    ratios.push_back(seconds_of(second, runs) / times.back());
  }
  return {median(times), median(ratios)};
}

std::string ways_of(const runtime::Plan& plan) {
  size_t side_by_side = 0, split = 0, one = 0;
  for (const runtime::Stage& stage : plan.stages()) {
    if (stage.lanes.size() > 1)
      for (const std::vector<int>& lane : stage.lanes) side_by_side += lane.size();
    else
      ++(stage.threads > 1 ? split : one);
  }
  return std::to_string(one) + ", " + std::to_string(split) + ", " + std::to_string(side_by_side);
}

void add_row(report::Table& table, const Workload& work, double seconds) {
  using runtime::SideBySide;
  Planned plan(work, work.batch, {}), one(work, work.batch, {.threads = 1}),
      apart(work, work.batch, {.side_by_side = SideBySide::none});
  const auto run = [](Planned& planned) { return [&] { planned.run(); }; };
  const Comparison to_one = compare(run(plan), run(one), seconds);
  const Comparison to_apart = compare(run(plan), run(apart), seconds);
  std::string halves = "", small = "", chosen = "";
  if (!work.training && work.batch > 1) {
    const auto ratio_to = [&](int64_t parts) {
      InParts cut(work, parts);
      return report::fixed(compare(run(plan), [&] { cut.run(); }, seconds).ratio, 2);
    };
    halves = ratio_to(2);
    if (work.batch > 2) small = ratio_to(std::min<int64_t>(work.batch, 16));
    chosen = std::to_string(InParts(work, 0).parts()) + ": " + ratio_to(0);
  }
  table.add_row({work.name, ways_of(plan.plan()), report::fixed(1e6 * to_one.seconds, 1),
                 report::fixed(to_one.ratio, 2), report::fixed(to_apart.ratio, 2), halves, small, chosen});
}

/// Each step on one thread and as the plan has it.
void print_steps(const Workload& work) {
  Planned one(work, work.batch, {.threads = 1}), plan(work, work.batch, {});
  report::Table table({"operation", "result", "1 thread us", "plan us", "threads"});
  std::vector<std::vector<double>> alone(one.plan().steps().size()), planned(alone.size());
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 10; ++i) {  // the first ones of a block find threads asleep
      const std::vector<double> a = one.step_times();
      for (size_t k = 0; i > 2 && k < a.size(); ++k) alone[k].push_back(a[k]);
    }
    for (int i = 0; i < 10; ++i) {
      const std::vector<double> b = plan.step_times();
      for (size_t k = 0; i > 2 && k < b.size(); ++k) planned[k].push_back(b[k]);
    }
  }
  for (size_t i = 0; i < alone.size(); ++i) {
    const runtime::Step& step = plan.plan().steps()[i];
    table.add_row({std::string(step.operation->name()), runtime::type_text(step.outputs[0].type),
                   report::fixed(1e6 * median(alone[i]), 1), report::fixed(1e6 * median(planned[i]), 1),
                   std::to_string(step.threads)});
  }
  std::cout << work.name << '\n' << table;
}

using Make = std::function<Tensor(int64_t)>;

template <class Net>
Workload inference(std::string name, const std::shared_ptr<Net>& net, const Make& x, int64_t batch) {
  nn::eval(*net);
  return {std::move(name),
          runtime::as_function([net](const Tensor& in) { return (*net)(in); }),
          runtime::State(*net),
          [x](int64_t n) { return std::vector{x(n)}; },
          batch,
          false};
}

template <class Net>
Workload training(std::string name, const std::shared_ptr<Net>& net, const Make& x, const Make& y,
                  int64_t batch) {
  nn::train(*net);
  const auto adam = std::make_shared<optim::AdamW>(*net);
  return {std::move(name),
          runtime::as_function([net, adam](const Tensor& in, const Tensor& labels) {
            Tensor loss = cross_entropy((*net)(in), labels);
            adam->zero_grad();
            backward(loss);
            adam->step();
            return loss;
          }),
          runtime::State(*net, *adam),
          [x, y](int64_t n) { return std::vector{x(n), y(n)}; },
          batch,
          true};
}

std::vector<Workload> workloads() {
  using models::Gpt, models::Mlp, models::ResNetCifar, models::SeedNet, models::TwoBranchNet;
  const auto rows = [](int64_t width) -> Make { return [=](int64_t n) { return normal({n, width}); }; };
  const auto text = [](int64_t length) -> Make {
    return [=](int64_t n) { return random_integers({n, length}, 0, 65); };
  };
  const Make images = [](int64_t n) { return normal({n, 3, 32, 32}); };
  const Make labels = [](int64_t n) { return random_integers({n}, 0, 10); };
  const auto mlp = [](const std::vector<int64_t>& widths) { return std::make_shared<Mlp>(widths); };
  const auto resnet = [] { return std::make_shared<ResNetCifar>(3); };
  const auto nano = [] { return std::make_shared<Gpt>(4, 128, 4, 64); };
  const auto mini = [] { return std::make_shared<Gpt>(6, 384, 6, 256); };
  const auto towers = [](int64_t w) {
    return std::make_shared<TwoBranchNet<Mlp>>(TwoBranchNet<Mlp>{Mlp({w, w, w, w, w}), Mlp({w, w, w, w, w})});
  };
  return {
      training("train/digits-mlp", mlp({64, 64, 10}), rows(64), labels, 32),
      training("train/mlp", mlp({784, 1024, 1024, 10}), rows(784), labels, 128),
      training("train/seednet", std::make_shared<SeedNet>(), images, labels, 16),
      training("train/resnet20", resnet(), images, labels, 32),
      training("train/gpt-nano", nano(), text(64), text(64), 12),
      training("train/gpt-mini", mini(), text(256), text(256), 4),
      training("train/towers-128", towers(128), rows(128), labels, 16),
      inference("infer/digits-mlp-1", mlp({64, 64, 10}), rows(64), 1),
      inference("infer/digits-mlp-32", mlp({64, 64, 10}), rows(64), 32),
      inference("infer/mlp-1", mlp({784, 1024, 1024, 10}), rows(784), 1),
      inference("infer/mlp-64", mlp({784, 1024, 1024, 10}), rows(784), 64),
      inference("infer/seednet-1", std::make_shared<SeedNet>(), images, 1),
      inference("infer/seednet-16", std::make_shared<SeedNet>(), images, 16),
      inference("infer/resnet20-1", resnet(), images, 1),
      inference("infer/resnet20-8", resnet(), images, 8),
      inference("infer/resnet20-64", resnet(), images, 64),
      inference("infer/gpt-nano-1", nano(), text(64), 1),
      inference("infer/gpt-nano-12", nano(), text(64), 12),
      inference("infer/gpt-mini-4", mini(), text(256), 4),
      inference("infer/towers-384", towers(384), rows(384), 1),
      inference("infer/towers-128", towers(128), rows(128), 16),
  };
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 1;
  const std::string name = argc > 2 ? argv[2] : "";
  if (argc > 4 || !(seconds > 0) || (argc == 4 && std::string(argv[3]) != "--steps")) {
    std::cerr << "usage: plan_threads [SECONDS [NAME [--steps]]]\n";
    return 1;
  }
  set_num_threads(2);
  manual_seed(1);
  report::Table table({"", "steps on one thread, split, side by side", "us", "one thread",
                       "none side by side", "2 parts", "up to 16 parts", "chosen"});
  for (const Workload& work : workloads()) {
    if (work.name.find(name) == std::string::npos) continue;
    add_row(table, work, seconds);
    if (argc == 4) print_steps(work);
  }
  std::cout << table;
}
