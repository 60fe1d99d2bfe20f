// Into how many parts a batch is cut, by the times that each number takes.

#include <algorithm>
#include <charconv>
#include <chrono>
#include <iomanip>
#include <set>
#include <sstream>
#include <utility>

#include "core/error.h"
#include "runtime/batch_way_internal.h"
#include "runtime/explain.h"
#include "runtime/fingerprint_internal.h"
#include "runtime/step_cost_internal.h"

namespace espalier::runtime {
namespace {

using BatchWays = std::vector<std::unique_ptr<BatchWay>>;

/// What KernelChoices calls the question: by the graph with its sizes, not by the elements of its constants.
std::string parts_problem(const Graph& whole, int threads) {
  std::ostringstream text;
  text << "parts of a batch: graph " << std::hex << std::setfill('0') << std::setw(16)
       << layout_fingerprint(whole) << std::dec << ' ';
  for (const ValueId id : whole.inputs()) text << type_text(whole.value(id).type) << ", ";
  text << threads << (threads == 1 ? " thread" : " threads");
  return text.str();
}

std::string parts_text(int64_t parts) {
  return std::to_string(parts) + (parts == 1 ? " part" : " parts");
}

/// The inverse of parts_text(); 0 for another text.
int64_t parts_of(const std::string& text) {
  int64_t parts = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), parts);
  return error == std::errc() && parts > 0 && text == parts_text(parts) ? parts : 0;
}

/// Numbers of parts that may be faster than the whole, which takes `arena_bytes`.
std::set<int64_t> parts_to_time(PartGraphs& graphs, int threads, size_t arena_bytes) {
  std::set<int64_t> worth;
  if (!may_pay(graphs, 2)) return worth;
  const auto add = [&](int64_t parts) {
    const int64_t possible = std::min(parts, graphs.examples());
    if (possible > 1 && graphs.refusal(possible).empty()) worth.insert(possible);
  };
  add(threads);
  // So many that the values of a part lie in a core's own cache.
  int64_t many = threads;
  while (many < graphs.examples() && arena_bytes / static_cast<size_t>(many) > second_level_cache())
    many *= 2;
  add(many);
  return worth;
}

/// The median time of each, in seconds, in turns.
std::vector<double> time_in_turns(const BatchWays& ways, Inputs inputs) {
  using Clock = std::chrono::steady_clock;
  // A network of 1 ms gets some 30 rounds: the machine does other things for longer than a run.
  constexpr size_t kLeastRounds = 5;
  constexpr auto kTime = std::chrono::milliseconds(100);
  std::vector<std::vector<Tensor>> results;
  for (const auto& way : ways) {
    results.push_back(way->new_results());
    way->run(inputs, results.back());  // warms up
  }
  std::vector<std::vector<double>> times(ways.size());
  const Clock::time_point end = Clock::now() + kTime;
  while (times.back().size() < kLeastRounds || Clock::now() < end) {
    for (size_t i = 0; i < ways.size(); ++i) {
      const Clock::time_point start = Clock::now();
      ways[i]->run(inputs, results[i]);
      times[i].push_back(std::chrono::duration<double>(Clock::now() - start).count());
    }
  }
  std::vector<double> medians;
  for (std::vector<double>& all : times) {
    const auto middle = all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2);
    std::nth_element(all.begin(), middle, all.end());
    medians.push_back(*middle);
  }
  return medians;
}

/// Times the whole and what else may be faster; false where there is nothing else, or no times.
bool time_ways(PartGraphs& graphs, const PlanOptions& options, const std::string& problem) {
  BatchWays ways;
  ways.push_back(std::make_unique<BatchWay>(graphs, 1, options));
  for (const int64_t parts : parts_to_time(graphs, options.threads, ways[0]->runner().plan().arena_bytes()))
    ways.push_back(std::make_unique<BatchWay>(graphs, parts, options));
  if (ways.size() == 1) return false;
  KernelChoices::Timings timings;
  try {
    const std::vector<double> seconds = time_in_turns(ways, made_up_inputs(graphs.whole()));
    for (size_t i = 0; i < ways.size(); ++i) timings.push_back({parts_text(ways[i]->parts()), seconds[i]});
  } catch (const Error&) {
    return false;  // numbers that mean something cannot be made up
  }
  options.choices->add(problem, std::move(timings));
  return true;
}

}  // namespace

std::unique_ptr<BatchWay> timed_way(PartGraphs& graphs, const PlanOptions& options,
                                    KernelChoices::Timings& timings) {
  const KernelChoices& choices = *options.choices;
  const auto in_parts = [&](int64_t parts) { return std::make_unique<BatchWay>(graphs, parts, options); };
  const std::string problem = parts_problem(graphs.whole(), options.threads);
  const bool changes = !graphs.whole().updates().empty() || !graphs.whole().gradients().empty();
  if (changes || graphs.batched().inputs.empty() || graphs.examples() < 2) return in_parts(1);
  if (!choices.find(problem) && !time_ways(graphs, options, problem))
    return in_parts(estimated_parts(graphs, options.threads));
  timings = *choices.find(problem);
  for (const KernelTiming& timing : timings) {
    const int64_t parts = parts_of(timing.kernel);
    const bool possible = parts > 1 && parts <= graphs.examples() && graphs.refusal(parts).empty();
    if (parts == 1 || possible) return in_parts(parts);
  }
  return in_parts(1);
}

}  // namespace espalier::runtime
