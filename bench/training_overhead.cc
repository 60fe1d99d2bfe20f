// What rows of metrics, the file for TensorBoard and the progress line cost in a run of many short steps: the
// MLP 64-64-10 on the embedded digits, batches of 32, by the Trainer with all of them and with none, and by a
// loop written by hand (bar: 1 % for all against none).
//
//   build/release/bench/training_overhead [STEPS] [ROUNDS] 2> progress.txt
//
// Each round runs the three in turns, one thread each, 100,000 steps unless STEPS says otherwise. The ratios
// are of times from the first step to the end of the last, without that of the only checkpoint, and of the
// program's processor time in the same span, which other work on the machine disturbs less.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <string>
#include <vector>

#include <espalier/espalier.h>
#include <unistd.h>

using namespace espalier;

namespace {

struct Time {
  double wall, processor;  ///< seconds
};

Time now() {
  using Clock = std::chrono::steady_clock;
  timespec processor{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &processor);
  return {std::chrono::duration<double>(Clock::now().time_since_epoch()).count(),
          static_cast<double>(processor.tv_sec) + 1e-9 * static_cast<double>(processor.tv_nsec)};
}

/// What all three train, from the same weights.
struct Work {
  Work() { manual_seed(1); }
  Tensor loss(const data::Examples& batch) const {
    return cross_entropy(net(flatten(batch.inputs, 1)), batch.labels);
  }
  models::Mlp net{{64, 64, 10}};
  optim::Adam adam{net, {.learning_rate = 1e-3}};
  data::Loader loader{data::digits().train, {.batch_size = 32, .seed = 1}};
};

Time by_hand(int64_t steps) {
  Work work;
  const Time start = now();
  double last = 0;
  for (int64_t step = 0; step < steps;) {
    for (const data::Examples& batch : work.loader) {
      work.adam.zero_grad();
      const Tensor loss = work.loss(batch);
      backward(loss);
      work.adam.step();
      last = loss.item();  // what any loop looks at
      if (++step == steps) break;
    }
  }
  const Time end = now();
  if (!(last < 10)) std::fprintf(stderr, "the loss is %g\n", last);
  return {end.wall - start.wall, end.processor - start.processor};
}

Time by_trainer(const training::TrainerOptions& options) {
  Work work;
  training::Trainer trainer(work.net, work.adam, work.loader,
                            [&](const data::Examples& batch) { return work.loss(batch); });
  const Time start = now();
  const training::TrainingSummary summary = trainer.run(options);
  const Time end = now();
  Time time{end.wall - start.wall, end.processor - start.processor};
  for (const training::PhaseTime& phase : summary.phases) {
    // Most of it is waiting for the disk; the little processor time in it counts.
    if (phase.name == "saving") time.wall -= phase.seconds;
  }
  return time;
}

Time with_all(int64_t steps) {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("training_overhead-" + std::to_string(::getpid()));
  const Time time = by_trainer({.steps = steps,
                                .folder = folder,
                                .checkpoint_every = steps,
                                .tensorboard = true,
                                .notes = {{"recipe", "digits-mlp"}}});
  std::filesystem::remove_all(folder);
  return time;
}

Time with_none(int64_t steps) {
  return by_trainer({.steps = steps, .log_every = steps, .progress = false});
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

void print(const char* what, const std::vector<double>& ratios) {
  const auto [least, most] = std::minmax_element(ratios.begin(), ratios.end());
  std::printf("%-46s %.4f (%.4f to %.4f)\n", what, median(ratios), *least, *most);
}

}  // namespace

int main(int argc, char** argv) try {
  const int64_t steps = argc > 1 ? std::atoll(argv[1]) : 100'000;
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 5;
  if (argc > 3 || steps < 1 || rounds < 1)
    throw ValueError("training_overhead", "expected the number of steps and that of rounds");
  set_num_threads(1);
  constexpr std::array kWays = {by_hand, with_none, with_all};
  for (const auto way : kWays) way(std::min<int64_t>(steps, 2000));  // warms up
  std::array<std::vector<Time>, kWays.size()> times;
  for (int round = 0; round < rounds; ++round) {
    // The order turns with each round, so that a drift of the machine's speed favours none.
    for (size_t i = 0; i < kWays.size(); ++i) {
      const size_t way = (i + static_cast<size_t>(round)) % kWays.size();
      times[way].push_back(kWays[way](steps));
    }
  }
  const auto compare = [&](const char* what, size_t a, size_t b) {
    std::vector<double> wall, processor;
    for (size_t i = 0; i < times[a].size(); ++i) {
      wall.push_back(times[a][i].wall / times[b][i].wall);
      processor.push_back(times[a][i].processor / times[b][i].processor);
    }
    print((std::string(what) + ", time").c_str(), wall);
    print((std::string(what) + ", processor time").c_str(), processor);
  };
  std::printf("%lld steps, %d rounds, median (least to most)\n", static_cast<long long>(steps), rounds);
  compare("all over none", 2, 1);
  compare("none over by hand", 1, 0);
  compare("all over by hand", 2, 0);
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
