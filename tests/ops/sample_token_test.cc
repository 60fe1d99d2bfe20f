#include "ops/sample_token.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/parallel.h"
#include "core/philox.h"
#include "ops/copy.h"
#include "ops/reshape.h"
#include "ops/slice.h"
#include "runtime/compile.h"
#include "tests/support/message_of.h"
#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// The token that a number stands for, by a full sort: those that may be drawn, in the order of the logits.
int64_t plain_draw(const std::vector<double>& logits, const SamplingOptions& options, double uniform) {
  std::vector<size_t> order(logits.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return logits[a] > logits[b]; });
  if (options.temperature == 0) return static_cast<int64_t>(order[0]);
  const double top = logits[order[0]];
  const auto weight = [&](size_t i) { return std::exp((logits[i] - top) / options.temperature); };
  double all = 0;
  for (const size_t i : order) all += weight(i);
  if (options.top_k > 0) order.resize(std::min(order.size(), static_cast<size_t>(options.top_k)));
  double reached = 0;
  size_t count = 0;
  while (count < order.size() && (options.top_p == 1 || reached < options.top_p * all))
    reached += weight(order[count++]);
  order.resize(count);
  std::sort(order.begin(), order.end());
  double left = uniform * reached;
  for (const size_t i : order) {
    left -= weight(i);
    if (left < 0) return static_cast<int64_t>(i);
  }
  return static_cast<int64_t>(order.back());
}

/// Of rows with one generator, or one of its own for each.
OpSample tokens_sample(std::string label, int64_t rows, int64_t size, const SamplingOptions& options,
                       bool own_states = false) {
  const InputSpec state{own_states ? Shape{rows, 2} : Shape{2}, 0, 1000, Dtype::i64, false};
  return {
      std::move(label),
      {{{rows, size}, -3, 3}, state},
      [=](Inputs in) {
        const Tensor states = copy(in[1]);
        const Tensor tokens = own_states ? sample_token(in[0], options, states)
                                         : sample_token(in[0], options, Generator(states));
        return Tensors{tokens, states};
      },
      [=](const Arrays& in) {
        Array tokens({rows}), states = in[1];
        for (int64_t n = 0; n < rows; ++n) {
          const int64_t at = own_states ? 2 * n : 0;
          const auto seed = static_cast<uint64_t>(in[1][at]), offset = static_cast<uint64_t>(in[1][at + 1]);
          const auto element = static_cast<uint64_t>(own_states ? 0 : n);
          const auto row = in[0].values.begin() + n * size;
          tokens[n] = static_cast<double>(plain_draw(std::vector<double>(row, row + size), options,
                                                     philox_uniform(philox_word64(seed, offset, element))));
          if (own_states) ++states[at + 1];
        }
        if (!own_states) states[1] += std::ceil(static_cast<double>(rows) / 2);
        return Arrays{tokens, states};
      }};
}

/// Of 1,000 evenly spread numbers, how many stand for each token.
std::vector<int64_t> counts(const std::vector<float>& logits, const SamplingOptions& options) {
  const Tensor tensor = from_values(logits, {static_cast<int64_t>(logits.size())});
  std::vector<int64_t> result(logits.size());
  for (int i = 0; i < 1000; ++i) ++result[static_cast<size_t>(sample(tensor, options, (i + 0.5) / 1000))];
  return result;
}

/// Logits of these probabilities.
std::vector<float> logs(const std::vector<double>& probabilities) {
  std::vector<float> result;
  for (const double probability : probabilities)
    result.push_back(static_cast<float>(std::log(probability)) + 3);
  return result;
}

TEST(Sample, DrawsByProbability) {
  EXPECT_THAT(counts(logs({0.2, 0.5, 0.3}), {}), ElementsAre(200, 500, 300));
  // At temperature 1/2 the odds are squared: 4, 25 and 9 of 38.
  EXPECT_THAT(counts(logs({0.2, 0.5, 0.3}), {.temperature = 0.5}), ElementsAre(105, 658, 237));
  EXPECT_THAT(counts(logs({0.2, 0.5, 0.3}), {.temperature = 0}), ElementsAre(0, 1000, 0));
  EXPECT_THAT(counts({1000, -1000, 1000}, {}), ElementsAre(500, 0, 500));
  EXPECT_THAT(counts({-kInfinity, 0}, {}), ElementsAre(0, 1000));
}

TEST(Sample, LeavesOutWhatIsImprobable) {
  const std::vector<float> logits = logs({0.1, 0.4, 0.2, 0.3});
  EXPECT_THAT(counts(logits, {.top_k = 2}), ElementsAre(0, 571, 0, 429));
  EXPECT_THAT(counts(logits, {.top_k = 9}), ElementsAre(100, 400, 200, 300));
  EXPECT_THAT(counts(logits, {.top_p = 0.65}), ElementsAre(0, 571, 0, 429));
  EXPECT_THAT(counts(logits, {.top_p = 0.75}), ElementsAre(0, 444, 223, 333));
  EXPECT_THAT(counts(logits, {.top_p = 1e-9}), ElementsAre(0, 1000, 0, 0));
  EXPECT_THAT(counts(logits, {.top_k = 3, .top_p = 0.65}), ElementsAre(0, 571, 0, 429));
}

TEST(Sample, TakesTheFirstOfEquals) {
  EXPECT_THAT(counts({1, 5, 5, 2}, {.temperature = 0}), ElementsAre(0, 1000, 0, 0));
  EXPECT_THAT(counts({5, 2, 5, 5}, {.top_k = 2}), ElementsAre(500, 0, 500, 0));
  // Two of three halves would do.
  EXPECT_THAT(counts({5, -kInfinity, 5, 5}, {.top_p = 0.6}), ElementsAre(500, 0, 500, 0));
}

TEST(Sample, NeverDrawsWhatCannotBe) {
  manual_seed(4);
  // The largest number below 1 stands for the last token that can be, not for the last one; in some of these
  // rows the probabilities, added up one by one, do not reach it.
  for (int row = 0; row < 50; ++row) {
    const Tensor logits = full({1000}, -kInfinity);
    copy_(slice(logits, 0, {100, 200}), normal({100}));
    EXPECT_EQ(sample(logits, {}, std::nextafter(1.0, 0.0)), 199);
    EXPECT_EQ(sample(logits, {}, 0), 100);
    EXPECT_EQ(sample(logits, {.top_k = 500}, std::nextafter(1.0, 0.0)), 199);
  }
}

TEST(Sample, TellsLogitsApartWhoseProbabilitiesAreEqual) {
  // At such a temperature all weights round to 1.
  EXPECT_THAT(counts({1, 3, 2, 4}, {.temperature = 1e30, .top_k = 2}), ElementsAre(0, 500, 0, 500));
}

TEST(Sample, RefusesWhatMakesNoSense) {
  const Tensor logits = zeros({3});
  const auto refusal = [&](const SamplingOptions& options, double uniform = 0) {
    return message_of<ValueError>([&] { sample(logits, options, uniform); });
  };
  EXPECT_THAT(refusal({.temperature = -1}), HasSubstr("[sample_token] temperature -1"));
  EXPECT_THAT(refusal({.temperature = std::nan("")}), HasSubstr("temperature nan"));
  EXPECT_THAT(refusal({.top_k = -1}), HasSubstr("top_k -1"));
  EXPECT_THAT(refusal({.top_p = 0}), HasSubstr("top_p 0"));
  EXPECT_THAT(refusal({.top_p = 1.5}), HasSubstr("top_p 1.5"));
  EXPECT_THAT(refusal({}, 1), HasSubstr("uniform 1"));
  EXPECT_THAT(message_of<ShapeError>([] { sample(zeros({2, 3}), {}, 0); }), HasSubstr("f32[2, 3]"));
  EXPECT_THAT(message_of<ShapeError>([] { sample(zeros({0}), {}, 0); }), HasSubstr("f32[0]"));
  EXPECT_THAT(message_of<TypeError>([] { sample(zeros({3}, Dtype::i64), {}, 0); }), HasSubstr("i64[3]"));
  const float nan = std::nanf("");
  for (const std::vector<float>& bad : {std::vector{0.F, nan}, {kInfinity, 0.F}, {-kInfinity, -kInfinity}})
    EXPECT_THROW(sample(from_values(bad, {2}), {}, 0), NumericError);
}

TEST(SampleToken, IsSampleOfTheSameNumbers) {
  manual_seed(5);
  const Tensor logits = normal({6, 3000}, 0, 4);
  const Generator generator(9);
  for (const SamplingOptions& options : {SamplingOptions{},
                                         {.temperature = 0},
                                         {.top_k = 40},
                                         {.temperature = 0.7, .top_p = 0.9},
                                         {.top_p = 0.9999}}) {
    const auto offset = static_cast<uint64_t>(generator.state().to_vector<int64_t>()[1]);
    const std::vector<int64_t> tokens = sample_token(logits, options, generator).to_vector<int64_t>();
    for (int64_t n = 0; n < 6; ++n) {
      const double uniform = philox_uniform(philox_word64(9, offset, static_cast<uint64_t>(n)));
      EXPECT_EQ(tokens[static_cast<size_t>(n)],
                sample(reshape(slice(logits, 0, {n, n + 1}), {3000}), options, uniform));
    }
  }
}

TEST(SampleToken, IsTheSameOnSeveralThreads) {
  manual_seed(6);
  const Tensor logits = normal({7, 5000});
  const auto tokens = [&](int threads) {
    const ThreadCountGuard guard(threads);
    return sample_token(logits, {.top_p = 0.9}, Generator(4)).to_vector<int64_t>();
  };
  EXPECT_EQ(tokens(1), tokens(3));
}

TEST(SampleToken, RowsWithGeneratorsOfTheirOwnDoNotSeeEachOther) {
  manual_seed(7);
  const Tensor logits = normal({3, 50});
  const auto drawn = [&](const Tensor& rows, const std::vector<int64_t>& seeds) {
    std::vector<int64_t> values;
    for (const int64_t seed : seeds) values.insert(values.end(), {seed, 0});
    const Tensor states = from_values(values, {rows.size(0), 2});
    std::vector<int64_t> tokens;
    for (int i = 0; i < 20; ++i) tokens.push_back(sample_token(rows, {}, states).to_vector<int64_t>().back());
    return tokens;
  };
  const Tensor last = slice(logits, 0, {2, 3});
  EXPECT_EQ(drawn(logits, {1, 2, 3}), drawn(last, {3}));
  EXPECT_NE(drawn(last, {3}), drawn(last, {4}));
}

TEST(SampleToken, APlanDrawsNewNumbersInEachRun) {
  manual_seed(8);
  const Tensor logits = normal({4, 100});
  const Generator eager(3), planned(3);
  runtime::State state;
  state.add("generator", planned.state());
  auto step = runtime::compile([&](const Tensor& x) { return sample_token(x, {}, planned); }, state);
  std::vector<int64_t> before;
  for (int i = 0; i < 3; ++i) {
    const std::vector<int64_t> tokens = step(logits).to_vector<int64_t>();
    EXPECT_EQ(tokens, sample_token(logits, {}, eager).to_vector<int64_t>());
    EXPECT_NE(tokens, before);
    before = tokens;
  }
}

TEST(SampleToken, NamesTheRowThatCannotBeDrawnFrom) {
  const float nan = std::nanf("");
  for (const float bad : {nan, kInfinity, -kInfinity}) {
    Tensor logits = zeros({3, 40});
    // All of a row, which is longer than the vectors are.
    std::fill_n(logits.mutable_data<float>() + 40, 40, bad);
    for (const double temperature : {0.0, 1.0}) {
      EXPECT_THAT(message_of<NumericError>([&] { sample_token(logits, {.temperature = temperature}); }),
                  HasSubstr("[sample_token] row 1 of the logits"));
    }
  }
  Tensor logits = zeros({1, 40});
  logits.mutable_data<float>()[37] = nan;
  EXPECT_THROW(sample_token(logits, {}), NumericError);
}

}  // namespace

OpTest sample_token_test() {
  const Tensor logits = zeros({2, 3});
  return {
      .name = "sample_token",
      .samples =
          {
              tokens_sample("by probability", 3, 65, {}),
              tokens_sample("at a temperature", 4, 7, {.temperature = 0.3}),
              tokens_sample("the most probable ones", 5, 300, {.temperature = 0}),
              tokens_sample("of the best ones", 5, 70, {.top_k = 5}),
              tokens_sample("of the best one", 3, 20, {.top_k = 1}),
              tokens_sample("of more than there are", 3, 9, {.top_k = 20}),
              tokens_sample("of the fewest", 5, 70, {.top_p = 0.5}),
              tokens_sample("of the fewest, which are many", 2, 2000, {.top_p = 0.95}),
              tokens_sample("of most", 2, 2000, {.top_k = 1900}),
              tokens_sample("of both", 4, 200, {.temperature = 2, .top_k = 100, .top_p = 0.3}),
              tokens_sample("own generators", 5, 65, {}, true),
              tokens_sample("one token", 2, 1, {}),
              tokens_sample("no rows", 0, 5, {}),
          },
      .errors =
          {
              {"one axis",
               [] { sample_token(zeros({3}), {}); },
               "ShapeError",
               {"sample_token", "f32[3]", "[N, V]"}},
              {"no tokens",
               [] { sample_token(zeros({2, 0}), {}); },
               "ShapeError",
               {"f32[2, 0]", "at least 1"}},
              {"a negative top_k", [=] { sample_token(logits, {.top_k = -1}); }, "ValueError", {"top_k -1"}},
              {"no state",
               [=] { apply(SampleToken(), {logits, zeros({3}, Dtype::i64)}); },
               "TypeError",
               {"sample_token", "i64[3]", "generator's state"}},
              {"states for other rows",
               [=] { sample_token(logits, {}, zeros({3, 2}, Dtype::i64)); },
               "TypeError",
               {"f32[2, 3]", "i64[3, 2]", "for each row"}},
              {"undefined", [] { sample_token(Tensor(), {}); }, "ValueError", {"sample_token", "undefined"}},
          },
      .dtypes = kAllFloatingTypes,
      .differentiable = false,
      .twice_differentiable = false,
      .benchmarks =
          {
              tokens_sample("50k, greedy", 1, 50257, {.temperature = 0}),
              tokens_sample("50k", 1, 50257, {}),
              tokens_sample("50k, top_k", 1, 50257, {.top_k = 40}),
              tokens_sample("50k, top_p of few", 1, 50257, {.temperature = 0.002, .top_p = 0.9}),
              tokens_sample("50k, top_p of many", 1, 50257, {.top_p = 0.9}),
              tokens_sample("8 x 65", 8, 65, {}, true),
          },
  };
}

}  // namespace espalier::test
