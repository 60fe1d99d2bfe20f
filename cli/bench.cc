#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <iostream>
#include <vector>

#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/experiment.h"
#include "cli/output.h"
#include "core/door.h"
#include "core/error.h"
#include "core/parallel.h"
#include "ops/matmul.h"
#include "ops/random.h"
#include "report/table.h"

namespace espalier::cli {
namespace {

/// Adds up what operations say that they cost, those of a backward included.
class CostCounter final : public Listener {
 public:
  void before(const Operation& operation, Inputs inputs, std::span<const OutputSpec> specs) override {
    flops_ += static_cast<double>(operation.cost(inputs, specs).flops);
  }
  void after(const Operation&, Inputs, Outputs) override {}
  double flops() const { return flops_; }

 private:
  double flops_ = 0;
};

double flops_of(const std::function<void()>& work) {
  CostCounter counter;
  const ListenerScope scope(ListenerSlot::recorder, &counter);
  work();
  return counter.flops();
}

struct Figure {
  std::string name;
  int64_t examples;  ///< of one run
  double flops;      ///< ... and its arithmetic
  std::function<void()> work;
  std::vector<double> seconds = {};  ///< of each run

  double at(double share) const {
    std::vector<double> sorted = seconds;
    std::sort(sorted.begin(), sorted.end());
    return sorted[static_cast<size_t>(share * static_cast<double>(sorted.size() - 1))];
  }
};

double time(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Runs all in turns until each has run for `seconds`, so that what else the machine does meanwhile meets all
/// of them.
void measure(std::vector<Figure>& figures, double seconds) {
  for (Figure& figure : figures) figure.work();  // chooses implementations, takes memory
  double shortest = 0;
  while (shortest < seconds) {
    shortest = seconds;
    for (Figure& figure : figures) {
      double sum = 0;
      for (const double one : figure.seconds) sum += one;
      if (sum < seconds) figure.seconds.push_back(time(figure.work));
      shortest = std::min(shortest, sum);
    }
  }
}

/// Some examples of a data set as the network takes them.
Tensor inputs_of(Experiment& experiment, int64_t count) {
  std::vector<int64_t> numbers;
  for (int64_t i = 0; i < count; ++i) numbers.push_back(i % experiment.task().test.size());
  return prepare(experiment.recipe(), experiment.task().problem, experiment.task().test.read(numbers)).inputs;
}

Figure inference(Experiment& experiment, const Tensor& inputs) {
  const auto work = [&experiment, inputs] {
    const NoGrad no_grad;
    nn::eval(experiment.network());
    experiment.network()(inputs);
  };
  return {"inference of " + std::to_string(inputs.size(0)), inputs.size(0), flops_of(work), work};
}

}  // namespace

Exit bench(const BenchFlags& flags) {
  if (!(flags.seconds > 0 && flags.seconds <= 1e6))
    throw ValueError("--seconds",
                     "is " + std::to_string(flags.seconds) + "; expected more than 0, at most 1e6");
  Experiment experiment(apply(flags.recipe, {}));
  const int64_t batch = std::min(experiment.recipe().batch_size, experiment.task().train.size());
  const auto training_step = [&experiment] {
    nn::train(experiment.network());
    experiment.step();
  };
  // What the machine does at best, in the same run: times alone say little on a machine that others use.
  constexpr int64_t kSide = 1024;
  const Tensor a = normal({kSide, kSide}), b = normal({kSide, kSide});
  std::vector<Figure> figures = {
      {"product of 1024 x 1024 matrices", 1, 2.0 * kSide * kSide * kSide, [&] { matmul(a, b); }},
      {"training step of " + std::to_string(batch), batch, flops_of(training_step), training_step},
      inference(experiment, inputs_of(experiment, 1))};
  if (batch > 1) figures.push_back(inference(experiment, inputs_of(experiment, batch)));
  measure(figures, flags.seconds);

  const double best_rate = figures[0].flops / figures[0].at(0.5);
  nlohmann::json rows = nlohmann::json::array();
  report::Table table({"what", "median ms", "p10 to p90", "examples/s", "GFLOP", "of the product's rate"});
  for (const Figure& figure : figures) {
    const double median = figure.at(0.5), low = figure.at(0.1), high = figure.at(0.9),
                 share = figure.flops / median / best_rate;
    table.add_row({figure.name, report::fixed(1e3 * median, 3),
                   report::fixed(1e3 * low, 3) + " to " + report::fixed(1e3 * high, 3),
                   report::fixed(static_cast<double>(figure.examples) / median, 0),
                   report::fixed(figure.flops * 1e-9, 4), report::fixed(100 * share, 1) + " %"});
    rows.push_back({{"name", figure.name},
                    {"examples", figure.examples},
                    {"median_seconds", median},
                    {"p10_seconds", low},
                    {"p90_seconds", high},
                    {"p99_seconds", figure.at(0.99)},
                    {"runs", figure.seconds.size()},
                    {"flops", figure.flops},
                    {"share_of_product_rate", number(share)}});
  }
  if (flags.json)
    std::cout << nlohmann::json{{"threads", num_threads()}, {"figures", rows}}.dump() << '\n';
  else
    std::cout << num_threads() << " threads\n" << table;
  return Exit::done;
}

}  // namespace espalier::cli
