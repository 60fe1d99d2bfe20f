// The command explain: where the time and the memory of a package go.

#include "runtime/explain.h"

#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/nearest.h"
#include "cli/package_file.h"
#include "core/create.h"
#include "core/error.h"
#include "ops/cast.h"
#include "ops/copy.h"
#include "ops/random.h"
#include "report/page.h"

namespace espalier::cli {
namespace {

/// Something for each input of a graph.
std::vector<Tensor> any_inputs(const runtime::Graph& graph) {
  std::vector<Tensor> inputs;
  for (const runtime::ValueId id : graph.inputs()) {
    const Tensor& type = graph.value(id).type;
    const Tensor elements = is_floating(type.dtype()) ? cast(normal(type.shape()), type.dtype())
                                                      : zeros(type.shape(), type.dtype());
    inputs.push_back(empty_strided(type.shape(), type.strides(), type.dtype()));
    copy_(inputs.back(), elements);
  }
  return inputs;
}

/// What flags say of the free axes; of others, a batch of one, the sizes of the problem that the package is
/// for or, where it names none, those of its examples.
runtime::Sizes sizes_for(const runtime::Package& package, const ExplainFlags& flags) {
  runtime::Sizes sizes = package.graphs.example_sizes();
  if (has_problem(package.notes)) {
    Recipe recipe;
    Problem problem;
    read_notes(package.notes, flags.package, recipe, problem);
    for (const runtime::FreeAxis& axis : package.graphs.axes()) {
      if (axis.input == 0 && axis.axis >= 1 && axis.axis <= problem.input.rank())
        sizes[axis.name] = problem.input[axis.axis - 1];
    }
  }
  const auto batch = free_batch(package.graphs);
  if (batch) sizes[*batch] = flags.batch.value_or(1);
  if (!batch && flags.batch)
    throw ValueError("--batch", "is given for " + flags.package + ", whose batch is not free");
  const std::vector<std::string> names = free_names(package.graphs);
  for (const auto& [name, size] : sizes_of(flags.sizes)) {
    if (!sizes.contains(name)) {
      throw ValueError("--size", flags.package + " has no free axis '" + name + "'" +
                                     (names.empty() ? "" : "; free: " + listing(names)));
    }
    sizes[name] = size;
  }
  return sizes;
}

/// A step as an object; its candidates where there are some.
nlohmann::json step_json(const runtime::StepReport& report) {
  nlohmann::json json = {{"operation", report.step->operation->name()},
                         {"kernel", report.step->kernel->name},
                         {"prepared", report.step->prepared != nullptr},
                         {"flops", report.cost.flops},
                         {"bytes", report.cost.bytes},
                         {"seconds", report.seconds}};
  for (const runtime::Operand& output : report.step->outputs)
    json["results"].push_back(runtime::type_text(output.type));
  for (const runtime::KernelTiming& timing : report.candidates)
    json["candidates"].push_back({{"kernel", timing.kernel}, {"seconds", timing.seconds}});
  return json;
}

void save_page(const ExplainFlags& flags, const runtime::Plan& plan,
               const std::vector<runtime::StepReport>& steps, double seconds) {
  report::Page page(std::filesystem::path(flags.package).filename().string());
  page.key_values({{"steps", std::to_string(steps.size())},
                   {"threads", std::to_string(plan.threads())},
                   {"microseconds", report::fixed(seconds * 1e6, 1)},
                   {"memory for a run, bytes", std::to_string(plan.arena_bytes())},
                   {"least possible, bytes", std::to_string(plan.least_arena_bytes())}});
  page.heading("Steps");
  page.table(runtime::step_table(steps));
  page.heading("Plan");
  page.figure(runtime::draw(plan, steps));
  page.heading("Graph");
  page.figure(runtime::draw(plan.graph()));
  page.save(flags.page);
}

}  // namespace

Exit explain(const ExplainFlags& flags) {
  constexpr int64_t kMostRounds = 100000;
  if (flags.rounds < 1 || flags.rounds > kMostRounds) {
    throw ValueError("--rounds", "is " + std::to_string(flags.rounds) +
                                     "; expected a whole number from 1 to " + std::to_string(kMostRounds));
  }
  check_batch(flags.batch);
  const runtime::Package package = read_package(flags.package);
  const runtime::Sizes sizes = sizes_for(package, flags);
  PackageRunner opened(package.graphs, flags.kernels, equality(flags.strict));
  runtime::Runner& runner = opened.graphs().at(sizes);
  opened.save_choices();
  const runtime::Plan& plan = runner.plan();
  const std::vector<runtime::StepReport> steps =
      runtime::explain(runner, any_inputs(plan.graph()), static_cast<int>(flags.rounds), opened.choices());
  double seconds = 0;
  for (const runtime::StepReport& step : steps) seconds += step.seconds;
  if (!flags.page.empty()) save_page(flags, plan, steps, seconds);
  if (!flags.json) {
    std::cout << runtime::step_table(steps) << steps.size() << " steps, " << report::fixed(seconds * 1e6, 1)
              << " microseconds with " << plan.threads() << (plan.threads() == 1 ? " thread" : " threads")
              << "; memory for a run: " << plan.arena_bytes() << " bytes, at least "
              << plan.least_arena_bytes() << '\n';
    return Exit::done;
  }
  nlohmann::json rows = nlohmann::json::array();
  for (const runtime::StepReport& step : steps) rows.push_back(step_json(step));
  std::cout << nlohmann::json{{"sizes", sizes},
                              {"steps", rows},
                              {"seconds", seconds},
                              {"threads", plan.threads()},
                              {"arena_bytes", plan.arena_bytes()},
                              {"least_arena_bytes", plan.least_arena_bytes()}}
                   .dump()
            << '\n';
  return Exit::done;
}

}  // namespace espalier::cli
