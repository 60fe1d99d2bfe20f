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
#include "core/error.h"
#include "report/page.h"

namespace espalier::cli {
namespace {

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

/// How the batch is cut, in words; empty where it is not.
std::string parts_text(const runtime::BatchRunner& runner) {
  if (runner.parts() == 1) return "";
  return std::to_string(runner.parts()) + " parts of up to " + std::to_string(runner.part_examples()) +
         " examples, side by side on " + std::to_string(runner.threads()) +
         (runner.threads() == 1 ? " thread" : " threads");
}

/// What the numbers of parts took that were timed, the fastest first.
std::string timings_text(const runtime::KernelChoices::Timings& timings) {
  std::string text;
  for (const runtime::KernelTiming& timing : timings)
    text += (text.empty() ? "" : ", ") + timing.kernel + " " + report::fixed(timing.seconds * 1e6, 1);
  return text;
}

nlohmann::json parts_json(const runtime::BatchRunner& runner) {
  nlohmann::json json = {
      {"count", runner.parts()}, {"examples", runner.part_examples()}, {"threads", runner.threads()}};
  if (!runner.refusal().empty()) json["refusal"] = runner.refusal();
  for (const runtime::KernelTiming& timing : runner.timings())
    json["candidates"].push_back({{"parts", timing.kernel}, {"seconds", timing.seconds}});
  return json;
}

void save_page(const ExplainFlags& flags, const runtime::BatchRunner& runner,
               const std::vector<runtime::StepReport>& steps, double seconds) {
  const runtime::Plan& plan = runner.plan();
  report::Page page(std::filesystem::path(flags.package).filename().string());
  page.key_values({{"batch", runner.parts() == 1 ? "whole" : parts_text(runner) + "; below, one of them"},
                   {"steps", std::to_string(steps.size())},
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
  runtime::BatchRunner& runner = opened.graphs().at(sizes);
  opened.save_choices();
  const runtime::Plan& plan = runner.plan();
  const std::vector<runtime::StepReport> steps =
      runtime::explain(runner.runner(), runtime::made_up_inputs(plan.graph()), static_cast<int>(flags.rounds),
                       opened.choices());
  double seconds = 0;
  for (const runtime::StepReport& step : steps) seconds += step.seconds;
  if (!flags.page.empty()) save_page(flags, runner, steps, seconds);
  if (!flags.json) {
    if (runner.parts() > 1) std::cout << "The batch runs in " << parts_text(runner) << "; one part:\n";
    if (!runner.refusal().empty()) std::cout << "The batch stays whole: " << runner.refusal() << '\n';
    std::cout << runtime::step_table(steps) << steps.size() << " steps, " << report::fixed(seconds * 1e6, 1)
              << " microseconds with " << plan.threads() << (plan.threads() == 1 ? " thread" : " threads")
              << "; memory for a run: " << plan.arena_bytes() << " bytes, at least "
              << plan.least_arena_bytes() << '\n';
    if (!runner.timings().empty())
      std::cout << "the whole batch, microseconds: " << timings_text(runner.timings()) << '\n';
    return Exit::done;
  }
  nlohmann::json rows = nlohmann::json::array();
  for (const runtime::StepReport& step : steps) rows.push_back(step_json(step));
  std::cout << nlohmann::json{{"sizes", sizes},
                              {"parts", parts_json(runner)},
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
