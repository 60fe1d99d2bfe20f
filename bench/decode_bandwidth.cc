// How near decoding comes to what memory gives: a GPT of 6 layers, 384 wide, goes on with a text a token at a
// time, as a plan, and in the same round a plain loop reads a buffer of the same size as the weights that a
// token reads (bar: 75 % of the loop's bandwidth).
//
//   build/release/bench/decode_bandwidth [ROUNDS] [THREADS]
//
// Five rounds and two threads unless told otherwise. In a round each takes the median over 256 tokens or
// passes.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <string>
#include <vector>

#include <espalier/espalier.h>

using namespace espalier;

namespace {

constexpr int64_t kLayers = 6, kWidth = 384, kHeads = 6, kLength = 256;

/// In seconds.
double median_time(const std::function<void(int64_t)>& work) {
  using Clock = std::chrono::steady_clock;
  std::vector<double> times;
  for (int64_t i = 0; i < kLength; ++i) {
    const Clock::time_point start = Clock::now();
    work(i);
    times.push_back(std::chrono::duration<double>(Clock::now() - start).count());
  }
  std::nth_element(times.begin(), times.begin() + kLength / 2, times.end());
  return times[kLength / 2];
}

/// The weights that a token reads whole: all but the table of positions, of which it takes a row.
int64_t bytes_read(models::Gpt& gpt) {
  int64_t bytes = 0;
  for (const auto& [name, tensor] : nn::state(gpt)) {
    const bool table = name == "wpe.weight";
    if (!table) bytes += tensor.numel() * static_cast<int64_t>(size_of(tensor.dtype()));
  }
  return bytes;
}

/// Adds up the buffer, each thread a part of it.
uint64_t read(const std::vector<uint64_t>& buffer) {
  const auto size = static_cast<int64_t>(buffer.size());
  const int64_t parts = num_threads();
  std::vector<uint64_t> sums(static_cast<size_t>(parts));
  parallel_for(0, parts, 1, [&](int64_t begin, int64_t end) {
    for (int64_t part = begin; part < end; ++part) {
      uint64_t sum = 0;
      for (int64_t i = size * part / parts; i < size * (part + 1) / parts; ++i)
        sum += buffer[static_cast<size_t>(i)];
      sums[static_cast<size_t>(part)] = sum;
    }
  });
  uint64_t all = 0;
  for (const uint64_t sum : sums) all += sum;
  return all;
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 5, threads = argc > 2 ? std::atoi(argv[2]) : 2;
  if (argc > 3 || rounds < 1 || threads < 1) {
    std::cerr << "usage: decode_bandwidth [ROUNDS] [THREADS]\n";
    return 1;
  }
  set_num_threads(threads);
  manual_seed(1);
  models::Gpt gpt(kLayers, kWidth, kHeads, kLength);
  nn::eval(gpt);
  models::GptCache cache(gpt);
  auto next = runtime::compile([&](const Tensor& token) { return gpt(token, cache); }, gpt, cache);
  const Tensor token = zeros({1, 1}, Dtype::i64);
  const int64_t bytes = bytes_read(gpt);
  const std::vector<uint64_t> buffer(static_cast<size_t>(bytes) / sizeof(uint64_t), 1);
  const NoGrad no_grad;

  report::Table table({"round", "us a token", "GB/s", "us a pass", "GB/s", "decoding / loop"});
  std::vector<double> ratios;
  uint64_t seen = 0;
  for (int round = 0; round <= rounds; ++round) {
    cache.clear();
    const double decoding = median_time([&](int64_t) { next(token); });
    const double reading = median_time([&](int64_t) { seen += read(buffer); });
    if (round == 0) continue;  // makes the plan and warms up
    const auto rate = [&](double seconds) {
      return report::fixed(1e-9 * static_cast<double>(bytes) / seconds, 1);
    };
    ratios.push_back(reading / decoding);
    table.add_row({std::to_string(round), report::fixed(1e6 * decoding, 0), rate(decoding),
                   report::fixed(1e6 * reading, 0), rate(reading), report::fixed(reading / decoding, 2)});
  }
  std::sort(ratios.begin(), ratios.end());
  std::cout << report::fixed(1e-6 * static_cast<double>(bytes), 1) << " MB of weights, " << threads
            << " threads\n"
            << table << "median " << report::fixed(ratios[ratios.size() / 2], 2) << " ("
            << report::fixed(ratios.front(), 2) << " to " << report::fixed(ratios.back(), 2) << ")\n";
  return seen == 0;
}
