// How fast a loader makes batches of CIFAR-10 beside how fast a network learns from them: 128 images, cropped
// with 4 pixels of padding, flipped and normalised, by 0, 1 and 4 workers, against a training step of
// ResNet-20 on one thread (bar: 8 times the rate of steps).
//
//   build/release/bench/loader_speed DIR [ROUNDS]
//
// DIR holds CIFAR-10's binary files. Each round times all in turns; the ratios are of the times of a round.
// Then a whole epoch of each loader, with stops in which its workers make all they may: the most memory that
// was in use beyond the data set, in MiB, in its first tenth and in all of it.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <thread>
#include <vector>

#include <espalier/espalier.h>

using namespace espalier;

namespace {

using Clock = std::chrono::steady_clock;

constexpr int64_t kBatch = 128;
constexpr std::array kWorkers = {0, 1, 4};

data::Loader loader_of(const data::DataSet& images, int workers) {
  return {images,
          {.batch_size = kBatch,
           .drop_last = true,
           .seed = 1,
           .transforms = {data::random_crop(4), data::random_flip(),
                          data::normalise({0.4914, 0.4822, 0.4465}, {0.2470, 0.2435, 0.2616})}},
          {.workers = workers}};
}

data::Examples next_of(data::Loader& loader) {
  std::optional<data::Examples> batch = loader.next();
  while (!batch) batch = loader.next();  // the border between two epochs
  return *batch;
}

/// Seconds that a call takes, the mean of `times`.
template <class Call>
double seconds_of(int times, const Call& call) {
  const Clock::time_point start = Clock::now();
  for (int i = 0; i < times; ++i) call();
  return std::chrono::duration<double>(Clock::now() - start).count() / times;
}

struct Training {
  models::ResNetCifar net{3};
  optim::Sgd sgd{net, {.learning_rate = 0.05, .momentum = 0.9, .weight_decay = 1e-4}};

  void step(const data::Examples& batch) {
    const Tensor loss = cross_entropy(net(batch.inputs), batch.labels);
    sgd.zero_grad();
    backward(loss);
    sgd.step();
  }
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

void compare_rates(const data::DataSet& images, int rounds) {
  constexpr int kSteps = 3, kBatches = 100;
  Training training;
  data::Loader none = loader_of(images, 0);
  const data::Examples batch = next_of(none);
  training.step(batch);  // warms up
  std::array<std::vector<double>, kWorkers.size()> ratios, rates;
  for (int round = 0; round < rounds; ++round) {
    const double step = seconds_of(kSteps, [&] { training.step(batch); });
    for (size_t i = 0; i < kWorkers.size(); ++i) {
      data::Loader loader = loader_of(images, kWorkers[i]);
      seconds_of(10, [&] { next_of(loader); });  // what was made ahead of the first call
      const double one = seconds_of(kBatches, [&] { next_of(loader); });
      ratios[i].push_back(step / one);
      rates[i].push_back(1 / one);
    }
  }
  for (size_t i = 0; i < kWorkers.size(); ++i) {
    const auto [least, most] = std::minmax_element(ratios[i].begin(), ratios[i].end());
    std::printf("%d workers: %.1f times the rate of steps (%.1f to %.1f), %.0f images/s\n", kWorkers[i],
                median(ratios[i]), *least, *most, median(rates[i]) * kBatch);
  }
}

void show_memory(const data::DataSet& images, int workers) {
  Allocator& allocator = backend(kCpu).allocator(kCpu);
  const int64_t before = allocator.stats().current;
  allocator.reset_peak();
  data::Loader loader = loader_of(images, workers);
  const auto peak = [&] { return static_cast<double>(allocator.stats().peak - before) / (1 << 20); };
  double first = 0;
  for (int64_t i = 0; i < loader.size(); ++i) {
    const data::Examples batch = next_of(loader);
    const bool stop = i % 50 == 20;
    if (stop) std::this_thread::sleep_for(std::chrono::milliseconds(100));
    if (i == loader.size() / 10) first = peak();
  }
  std::printf("%d workers: %.1f MiB, %.1f MiB\n", workers, first, peak());
}

}  // namespace

int main(int argc, char** argv) try {
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 7;
  if (argc < 2 || argc > 3 || rounds < 1)
    throw ValueError("loader_speed", "expected CIFAR-10's folder and the number of rounds");
  set_num_threads(1);
  manual_seed(1);
  const data::DataSet images = data::cifar10(argv[1]).train;
  std::printf("batches of %lld against steps of ResNet-20, %d rounds, median (least to most)\n",
              static_cast<long long>(kBatch), rounds);
  compare_rates(images, rounds);
  std::printf("most memory beyond the data set, of which a batch is %.1f MiB\n",
              static_cast<double>(kBatch * 3 * 32 * 32 * 4) / (1 << 20));
  for (const int workers : kWorkers) show_memory(images, workers);
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
