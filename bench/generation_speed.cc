// How much faster texts are written by plans than by plain code: GPTs of 4 layers, 128 wide, with a context
// of 64, and of 6 layers, 384 wide, with one of 256, go on with prompts of 8 tokens until their context is
// full, with one text and with eight at a time, each token the most probable one or drawn.
//
//   build/release/bench/generation_speed [ROUNDS] [THREADS]
//
// Five rounds and two threads unless told otherwise. In each round the same texts are written by plain code
// from a GptCache, each row of logits sampled on its own; by a GptDecoder that has its plans; and by
// generate(), which makes its plans first. The ratios are medians over the rounds, with the least and the
// most.

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

constexpr int64_t kPrompt = 8;

struct Case {
  std::string name;
  const models::Gpt& gpt;
  int64_t texts;
  SamplingOptions sampling;

  /// Tokens that each text gets.
  int64_t count() const { return gpt.length() - kPrompt + 1; }
};

double seconds_of(const std::function<void()>& work) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point start = Clock::now();
  work();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

void by_plain_code(const Case& c, const Tensor& prompts) {
  const NoGrad no_grad;
  models::GptCache cache(c.gpt, c.texts);
  Tensor tokens = prompts;
  for (int64_t i = 0; i < c.count(); ++i) {
    const Tensor logits = c.gpt(tokens, cache);
    std::vector<int64_t> next;
    for (int64_t n = 0; n < c.texts; ++n) {
      const uint64_t block = (static_cast<uint64_t>(n) << 32) + static_cast<uint64_t>(i);
      next.push_back(models::sample(at(logits, n), c.sampling, philox_uniform(philox_word64(1, block, 0))));
    }
    tokens = from_values(next, {c.texts, 1});
  }
}

void by_decoder(const Case& c, const Tensor& prompts, models::GptDecoder& decoder) {
  for (int64_t n = 0; n < c.texts; ++n) decoder.start(n, at(prompts, n), 1, static_cast<uint64_t>(n) << 32);
  for (int64_t i = 1; i < c.count(); ++i) decoder.step();
}

void by_generate(const Case& c, const Tensor& prompts) {
  std::vector<Tensor> rows;
  for (int64_t n = 0; n < c.texts; ++n) rows.push_back(at(prompts, n));
  models::generate(c.gpt, rows, {.count = c.count(), .sampling = c.sampling, .seed = 1});
}

/// The median, the least and the most.
std::string spread(std::vector<double> values, int decimals) {
  std::sort(values.begin(), values.end());
  return report::fixed(values[values.size() / 2], decimals) + " (" + report::fixed(values.front(), decimals) +
         " to " + report::fixed(values.back(), decimals) + ")";
}

void measure(const Case& c, int rounds, report::Table& table) {
  const Tensor prompts = random_integers({c.texts, kPrompt}, 0, 65, Dtype::i64, Generator(3));
  models::GptDecoder decoder(c.gpt, c.texts, c.sampling);
  std::vector<double> rates, planned, generated;
  for (int round = 0; round <= rounds; ++round) {
    const double plain = seconds_of([&] { by_plain_code(c, prompts); });
    const double plans = seconds_of([&] { by_decoder(c, prompts, decoder); });
    const double whole = seconds_of([&] { by_generate(c, prompts); });
    if (round == 0) continue;  // makes the decoder's plans and warms up
    rates.push_back(static_cast<double>(c.texts * c.count()) / plans);
    planned.push_back(plain / plans);
    generated.push_back(plain / whole);
  }
  std::sort(rates.begin(), rates.end());
  table.add_row({c.name, std::to_string(c.texts), c.sampling.temperature == 0 ? "greedy" : "drawn",
                 report::fixed(rates[rates.size() / 2], 0), spread(planned, 2), spread(generated, 2)});
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 5, threads = argc > 2 ? std::atoi(argv[2]) : 2;
  if (argc > 3 || rounds < 1 || threads < 1) {
    std::cerr << "usage: generation_speed [ROUNDS] [THREADS]\n";
    return 1;
  }
  set_num_threads(threads);
  manual_seed(1);
  const models::Gpt nano(4, 128, 4, 64), mini(6, 384, 6, 256);
  report::Table table(
      {"GPT", "texts", "tokens", "tokens/s", "plans / plain code", "generate() / plain code"});
  for (const int64_t texts : {1, 8}) {
    for (const SamplingOptions& sampling : {SamplingOptions{.temperature = 0}, {.temperature = 0.8}}) {
      measure({"4 x 128", nano, texts, sampling}, rounds, table);
      measure({"6 x 384", mini, texts, sampling}, rounds, table);
    }
  }
  std::cout << threads << " threads\n" << table;
}
