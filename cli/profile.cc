#include <iostream>

#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/experiment.h"
#include "cli/output.h"
#include "core/error.h"
#include "core/profiler.h"

namespace espalier::cli {

Exit profile(const ProfileFlags& flags) {
  if (flags.steps < 1)
    throw ValueError("--profiled_steps", "is " + std::to_string(flags.steps) + "; expected 1 or more");
  Experiment experiment(apply(flags.recipe, {}));
  nn::train(experiment.network());
  constexpr int kWarmUp = 3;  // steps; the first ones choose implementations and take memory
  for (int i = 0; i < kWarmUp; ++i) experiment.step();
  start_profiler();
  for (int64_t i = 0; i < flags.steps; ++i) {
    const Span span("step");
    experiment.step();
  }
  stop_profiler();
  if (!flags.trace.empty()) write_profile_trace(flags.trace);
  if (!flags.json) {
    std::cout << profile_table();
    return Exit::done;
  }
  nlohmann::json rows = nlohmann::json::array();
  for (const ProfileRow& row : profile_summary())
    rows.push_back(
        {{"name", row.name}, {"count", row.count}, {"nanoseconds", row.total_ns}, {"share", row.share}});
  std::cout << nlohmann::json{{"steps", flags.steps}, {"spans", rows}, {"dropped", profile_dropped()}}.dump()
            << '\n';
  return Exit::done;
}

}  // namespace espalier::cli
