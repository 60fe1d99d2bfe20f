#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <utility>

#include "runtime/schedule_internal.h"

namespace espalier::runtime {
namespace {

/// What running steps side by side must be worth.
struct Terms {
  // A fork and join of threads that are awake (core/parallel.h).
  double fork_seconds = 1e-6;
  // Waking threads, which go to sleep some milliseconds after the last fork, takes 8 to 80 us: a plan must
  // win so much by them, or programs lose that run it now and then.
  double wake_seconds = 20e-6;
  // The times of two steps may be wrong by different factors; then one thread waits for the other.
  double least_gain = 1.25;
};

Terms terms_of(SideBySide side_by_side) {
  if (side_by_side == SideBySide::all) return {.fork_seconds = 0, .wake_seconds = 0, .least_gain = 1};
  return {};
}

// A fork costs little beside so many steps, and the search takes their square.
constexpr size_t kMostSteps = 64;

/// Steps of a range that depend on each other, directly or by others.
struct Group {
  int first;
  double seconds;
};

/// The groups among consecutive steps, which come one after the other.
class Groups {
 public:
  explicit Groups(int first) : first_(first) {}

  void add(const std::vector<int>& dependencies, double seconds) {
    const int own = static_cast<int>(leader_.size());
    leader_.push_back(own);
    seconds_.push_back(seconds);
    for (const int step : dependencies) {
      if (step >= first_) join(leader_of(step - first_), leader_of(own));
    }
  }

  /// In the order of their first steps.
  std::vector<Group> list() const {
    std::vector<Group> all;
    for (int i = 0; i < static_cast<int>(leader_.size()); ++i) {
      if (leader_of(i) == i) all.push_back({first_ + i, seconds_[static_cast<size_t>(i)]});
    }
    return all;
  }
  /// The first step of the group of `step`.
  int first_of(int step) const { return first_ + leader_of(step - first_); }

 private:
  int leader_of(int i) const {
    while (leader_[static_cast<size_t>(i)] != i) i = leader_[static_cast<size_t>(i)];
    return i;
  }
  void join(int a, int b) {
    if (a == b) return;
    if (b < a) std::swap(a, b);
    leader_[static_cast<size_t>(b)] = a;
    seconds_[static_cast<size_t>(a)] += seconds_[static_cast<size_t>(b)];
  }

  int first_;
  std::vector<int> leader_;
  std::vector<double> seconds_;  // of each leader: of its group
};

struct Deal {
  double seconds = 0;          // of the longest lane
  std::map<int, size_t> lane;  // of each group, by its first step
  size_t lanes = 0;
};

Deal deal(std::vector<Group> groups, int threads) {
  std::stable_sort(groups.begin(), groups.end(),
                   [](const Group& a, const Group& b) { return a.seconds > b.seconds; });
  Deal dealt;
  dealt.lanes = std::min(static_cast<size_t>(threads), groups.size());
  std::vector<double> loads(dealt.lanes);
  for (const Group& group : groups) {
    const auto least = std::min_element(loads.begin(), loads.end());
    *least += group.seconds;
    dealt.lane[group.first] = static_cast<size_t>(least - loads.begin());
  }
  dealt.seconds = *std::max_element(loads.begin(), loads.end());
  return dealt;
}

Stage stage_of(const Groups& groups, int begin, int end, int threads) {
  const Deal dealt = deal(groups.list(), threads);
  Stage stage;
  stage.lanes.resize(dealt.lanes);
  for (int step = begin; step < end; ++step)
    stage.lanes[dealt.lane.at(groups.first_of(step))].push_back(step);
  return stage;
}

double serial_seconds(std::span<const StepSeconds> steps) {
  double seconds = 0;
  for (const StepSeconds& step : steps) seconds += step.one_for_all();
  return seconds;
}

/// The best cut, by dynamic programming: of each number of first steps.
class Cut {
 public:
  Cut(std::vector<std::vector<int>> dependencies, std::span<const StepSeconds> seconds, int threads,
      SideBySide side_by_side)
      : dependencies_(std::move(dependencies)),
        of_(seconds),
        threads_(threads),
        most_steps_(side_by_side == SideBySide::none ? 1 : kMostSteps),
        terms_(terms_of(side_by_side)),
        best_(seconds.size() + 1, {std::numeric_limits<double>::infinity(), 0}) {
    best_[0].seconds = 0;
    for (size_t begin = 0; begin < of_.size(); ++begin) try_stages_from(begin);
  }

  /// What it takes less than one thread.
  double gain() const { return serial_seconds(of_) - best_.back().seconds; }

  std::vector<Stage> stages() const {
    std::vector<Stage> stages;
    for (size_t end = of_.size(); end > 0; end = best_[end].begin) {
      const size_t begin = best_[end].begin;
      if (end == begin + 1) {
        const bool split = of_[begin].all < of_[begin].one_for_all();
        stages.push_back({.lanes = {{static_cast<int>(begin)}}, .threads = split ? threads_ : 1});
        continue;
      }
      Groups groups(static_cast<int>(begin));
      for (size_t step = begin; step < end; ++step) groups.add(dependencies_[step], of_[step].one);
      stages.push_back(stage_of(groups, static_cast<int>(begin), static_cast<int>(end), threads_));
    }
    std::reverse(stages.begin(), stages.end());
    return stages;
  }

 private:
  struct Best {
    double seconds;
    size_t begin;  // of the last stage
  };

  void try_stages_from(size_t begin) {
    consider(begin, begin + 1, std::min(of_[begin].one_for_all(), of_[begin].all));
    if (of_[begin].alone) return;
    Groups groups(static_cast<int>(begin));
    groups.add(dependencies_[begin], of_[begin].one);
    for (size_t last = begin + 1; last < std::min(of_.size(), begin + most_steps_); ++last) {
      if (of_[last].alone) return;
      groups.add(dependencies_[last], of_[last].one);
      const std::vector<Group> list = groups.list();
      if (list.size() > 1)
        consider(begin, last + 1, terms_.least_gain * (deal(list, threads_).seconds + terms_.fork_seconds));
    }
  }

  void consider(size_t begin, size_t end, double seconds) {
    const double all = best_[begin].seconds + seconds;
    if (all < best_[end].seconds) best_[end] = {all, begin};
  }

  std::vector<std::vector<int>> dependencies_;
  std::span<const StepSeconds> of_;
  int threads_;
  size_t most_steps_;
  Terms terms_;
  std::vector<Best> best_;
};

/// A schedule in the making, from the first step to the last.
class Scheduler {
 public:
  Scheduler(const std::vector<std::vector<int>>& dependencies, const std::vector<StepSeconds>& seconds,
            int threads, SideBySide side_by_side)
      : dependencies_(dependencies),
        seconds_(seconds),
        threads_(threads),
        side_by_side_(side_by_side),
        terms_(terms_of(side_by_side)) {
    size_t begin = 0;
    for (size_t next = 0; next < seconds.size();) {
      const size_t end = end_of_parts(next);
      std::optional<Stage> stage = stage_of_parts(next, end);
      if (stage) {
        cut(begin, next);
        add_parts(std::move(*stage), next, end);
        begin = end;
      }
      next = std::max(end, next + 1);
    }
    cut(begin, seconds.size());
  }

  /// Whether it is so much faster than one thread that others are woken for it.
  bool worthwhile() const { return gain_ >= terms_.wake_seconds; }
  std::vector<Stage> take() { return std::move(stages_); }

 private:
  size_t end_of_parts(size_t begin) const {
    size_t end = begin;
    while (end < seconds_.size() && seconds_[end].part >= 0) ++end;
    return end;
  }

  /// Steps [begin, end) in lanes, absent where that cannot be.
  std::optional<Stage> stage_of_parts(size_t begin, size_t end) const {
    std::map<int, size_t> lane_of;  // each part
    for (size_t i = begin; i < end; ++i) lane_of[seconds_[i].part] = 0;
    const size_t lanes = std::min(lane_of.size(), static_cast<size_t>(threads_));
    if (lanes < 2 || side_by_side_ == SideBySide::none) return {};
    size_t number = 0;
    for (auto& [part, lane] : lane_of) lane = number++ * lanes / lane_of.size();
    Stage stage;
    stage.lanes.resize(lanes);
    for (size_t i = begin; i < end; ++i) {
      const size_t lane = lane_of[seconds_[i].part];
      for (const int needed : dependencies_[i]) {
        if (needed >= static_cast<int>(begin) && lane_of[seconds_[static_cast<size_t>(needed)].part] != lane)
          return {};
      }
      stage.lanes[lane].push_back(static_cast<int>(i));
    }
    return stage;
  }

  void add_parts(Stage stage, size_t begin, size_t end) {
    double longest = 0;
    for (const std::vector<int>& lane : stage.lanes) {
      double seconds = 0;
      for (const int step : lane) seconds += seconds_[static_cast<size_t>(step)].one;
      longest = std::max(longest, seconds);
    }
    gain_ += serial_seconds(std::span(seconds_).subspan(begin, end - begin)) - longest - terms_.fork_seconds;
    stages_.push_back(std::move(stage));
  }

  /// Steps [begin, end) as they are fastest.
  void cut(size_t begin, size_t end) {
    if (begin == end) return;
    const int first = static_cast<int>(begin);
    std::vector<std::vector<int>> inside;
    for (size_t i = begin; i < end; ++i) {
      std::vector<int>& own = inside.emplace_back();
      for (const int needed : dependencies_[i]) {
        if (needed >= first) own.push_back(needed - first);
      }
    }
    const Cut best(std::move(inside), std::span(seconds_).subspan(begin, end - begin), threads_,
                   side_by_side_);
    gain_ += best.gain();
    std::vector<Stage> stages = best.stages();
    for (Stage& stage : stages) {
      for (std::vector<int>& lane : stage.lanes) {
        for (int& step : lane) step += first;
      }
      stages_.push_back(std::move(stage));
    }
  }

  const std::vector<std::vector<int>>& dependencies_;
  const std::vector<StepSeconds>& seconds_;
  int threads_;
  SideBySide side_by_side_;
  Terms terms_;
  std::vector<Stage> stages_;
  double gain_ = 0;
};

}  // namespace

std::vector<Stage> stages_on(int threads, size_t steps) {
  std::vector<Stage> stages;
  for (size_t i = 0; i < steps; ++i) stages.push_back({.lanes = {{static_cast<int>(i)}}, .threads = threads});
  return stages;
}

std::vector<Stage> schedule(const std::vector<std::vector<int>>& dependencies,
                            const std::vector<StepSeconds>& seconds, int threads, SideBySide side_by_side) {
  if (threads == 1) return stages_on(1, seconds.size());
  Scheduler scheduler(dependencies, seconds, threads, side_by_side);
  return scheduler.worthwhile() ? scheduler.take() : stages_on(1, seconds.size());
}

}  // namespace espalier::runtime
