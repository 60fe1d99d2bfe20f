#include "ops/random.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <thread>

#include <gtest/gtest.h>

#include "core/box_muller.h"
#include "core/parallel.h"
#include "core/philox.h"
#include "ops/copy.h"
#include "ops/dropout.h"
#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

const InputSpec kRandomState{{2}, 0, 1000, Dtype::i64, false};

/// The numbers that `number(seed, offset, element)` gives, for a target of the shape of input 0.
template <class Number>
std::function<Arrays(const Arrays&)> stream(Number number) {
  return [number](const Arrays& in) {
    Array result(in[0].shape);
    for (int64_t i = 0; i < count(result.shape); ++i) {
      result[i] =
          number(static_cast<uint64_t>(in[1][0]), static_cast<uint64_t>(in[1][1]), static_cast<uint64_t>(i));
    }
    return Arrays{result};
  };
}

InputSpec target(const Shape& shape) {
  return {shape, 0, 1, {}, false};
}

OpSample uniform_sample(std::string label, const Shape& shape, double low, double high) {
  return {std::move(label),
          {target(shape), kRandomState},
          [=](Inputs in) { return Tensors{uniform_(in[0], low, high, Generator(copy(in[1])))}; },
          stream([=](uint64_t seed, uint64_t offset, uint64_t i) {
            return low + (high - low) * static_cast<double>(philox_uniform(philox_word(seed, offset, i)));
          })};
}

OpSample normal_sample(std::string label, const Shape& shape, double mean, double deviation) {
  return {std::move(label),
          {target(shape), kRandomState},
          [=](Inputs in) { return Tensors{normal_(in[0], mean, deviation, Generator(copy(in[1])))}; },
          stream([=](uint64_t seed, uint64_t offset, uint64_t i) {
            return mean + deviation * static_cast<double>(philox_normal(seed, offset, i));
          })};
}

OpSample integers_sample(std::string label, const Shape& shape, int64_t low, int64_t high) {
  return {std::move(label),
          {target(shape), kRandomState},
          [=](Inputs in) { return Tensors{random_integers_(in[0], low, high, Generator(copy(in[1])))}; },
          stream([=](uint64_t seed, uint64_t offset, uint64_t i) {
            const auto bound = static_cast<uint64_t>(high - low);
            return static_cast<double>(low) +
                   static_cast<double>(philox_bounded(philox_word64(seed, offset, i), bound));
          })};
}

OpSample permutation_sample(std::string label, int64_t n) {
  return {std::move(label),
          {{{0}}, kRandomState},
          [n](Inputs in) { return Tensors{random_permutation(n, Generator(copy(in[1])))}; },
          [n](const Arrays& in) {
            const auto seed = static_cast<uint64_t>(in[1][0]), offset = static_cast<uint64_t>(in[1][1]);
            std::vector<std::pair<uint64_t, int64_t>> keys;
            for (int64_t i = 0; i < n; ++i)
              keys.emplace_back(philox_word64(seed, offset, static_cast<uint64_t>(i)), i);
            std::sort(keys.begin(), keys.end());
            Array order({n});
            for (int64_t i = 0; i < n; ++i)
              order[i] = static_cast<double>(keys[static_cast<size_t>(i)].second);
            return Arrays{order};
          }};
}

}  // namespace

OpTest uniform_test() {
  return {
      .name = "uniform_",
      .samples =
          {
              uniform_sample("unit", {3, 5}, 0, 1),
              uniform_sample("a range", {2, 1500}, -3, 2),
              uniform_sample("one value", {4}, 1.5, 1.5),
              uniform_sample("scalar", {}, 0, 1),
              uniform_sample("empty", {0, 2}, 0, 1),
          },
      .errors =
          {
              {"a range upside down",
               [] { uniform_(zeros({2}), 1, 0); },
               "ValueError",
               {"uniform_", "1.0", "in order"}},
              {"NaN", [] { uniform_(zeros({2}), 0, std::nan("")); }, "ValueError", {"uniform_", "nan"}},
              {"integers",
               [] { uniform_(zeros({2}, Dtype::i64)); },
               "TypeError",
               {"uniform_", "i64[2]", "floating"}},
              {"undefined", [] { uniform_(Tensor()); }, "ValueError", {"uniform_", "undefined"}},
              {"a negative size", [] { uniform({-1}); }, "ShapeError", {"[-1]"}},
              {"no state", [] { Generator(zeros({2})); }, "TypeError", {"generator", "f32[2]", "i64[2]"}},
          },
      .dtypes = kAllFloatingTypes,
      .differentiable = false,
      .twice_differentiable = false,
  };
}

OpTest normal_test() {
  return {
      .name = "normal_",
      .samples =
          {
              normal_sample("standard", {3, 5}, 0, 1),
              normal_sample("shifted", {2, 1501}, 3, 0.5),
              normal_sample("no deviation", {4}, 1.5, 0),
              normal_sample("empty", {0, 2}, 0, 1),
          },
      .errors =
          {
              {"a negative deviation",
               [] { normal_(zeros({2}), 0, -1); },
               "ValueError",
               {"normal_", "-1.0", "at least 0"}},
              {"infinite mean", [] { normal_(zeros({2}), INFINITY); }, "ValueError", {"normal_", "inf"}},
              {"integers",
               [] { normal_(zeros({2}, Dtype::i32)); },
               "TypeError",
               {"normal_", "i32[2]", "floating"}},
          },
      .dtypes = kAllFloatingTypes,
      .differentiable = false,
      .twice_differentiable = false,
  };
}

OpTest random_integers_test() {
  OpSample both_signs = integers_sample("both signs", {2, 1500}, -1000, 1000);
  both_signs.inputs[0].dtype = Dtype::i16;
  return {
      .name = "random_integers_",
      .samples =
          {
              integers_sample("digits", {3, 5}, 0, 10),
              both_signs,
              integers_sample("one value", {4}, 7, 8),
              integers_sample("empty", {0, 2}, 0, 2),
          },
      .errors =
          {
              {"an empty range",
               [] { random_integers({2}, 3, 3); },
               "ValueError",
               {"random_integers_", "[3, 3)", "low < high"}},
              {"beyond the type",
               [] { random_integers({2}, 0, 257, Dtype::u8); },
               "ValueError",
               {"random_integers_", "[0, 257)", "u8[2]"}},
              {"a floating target",
               [] { random_integers({2}, 0, 2, Dtype::f32); },
               "TypeError",
               {"random_integers_", "f32[2]", "integer"}},
          },
      .dtypes = {Dtype::i64, Dtype::i32, Dtype::i16, Dtype::i8, Dtype::u8},
      .differentiable = false,
      .twice_differentiable = false,
  };
}

OpTest random_permutation_test() {
  return {
      .name = "random_permutation",
      .samples = {permutation_sample("many", 1000), permutation_sample("one", 1),
                  permutation_sample("none", 0)},
      .errors = {{"a negative number",
                  [] { random_permutation(-1); },
                  "ValueError",
                  {"random_permutation", "-1", "0 or more"}}},
      .dtypes = kStoredTypes,  // the output's type is fixed
      .differentiable = false,
      .twice_differentiable = false,
  };
}

namespace {

constexpr int64_t kMany = 100'000;

TEST(Random, GeneratorsAdvance) {
  const Generator generator(7);
  const Tensor first = uniform({5}, 0, 1, Dtype::f32, generator);
  EXPECT_EQ(generator.state().to_vector<int64_t>(), (std::vector<int64_t>{7, 2}));  // two blocks of four
  const Tensor second = uniform({5}, 0, 1, Dtype::f32, generator);
  EXPECT_NE(first.to_vector<float>(), second.to_vector<float>());
  dropout(ones({9}), 0.5, generator);
  random_integers({3}, 0, 5, Dtype::i64, generator);
  random_permutation(5, generator);
  EXPECT_EQ(generator.state().to_vector<int64_t>(), (std::vector<int64_t>{7, 2 + 2 + 3 + 2 + 3}));
  generator.manual_seed(7);
  EXPECT_EQ(uniform({5}, 0, 1, Dtype::f32, generator).to_vector<float>(), first.to_vector<float>());
}

TEST(Random, OneSeedForTheDefaultGenerators) {
  manual_seed(3);
  const std::vector<float> first = normal({4}).to_vector<float>();
  EXPECT_EQ(first, normal({4}, 0, 1, Dtype::f32, Generator(3)).to_vector<float>());
  EXPECT_NE(first, normal({4}).to_vector<float>());
  manual_seed(3);
  EXPECT_EQ(first, normal({4}).to_vector<float>());
  EXPECT_EQ(uniform_(empty({3}, Dtype::f32, kMeta)).device(), kMeta);
}

TEST(Random, AllBitsOfTheSeedCount) {
  const uint64_t seed = 0xFEDCBA9876543210;
  const Generator generator(seed);
  EXPECT_EQ(static_cast<uint64_t>(generator.state().to_vector<int64_t>()[0]), seed);
}

TEST(Random, SameBitsInAnyNumberOfThreads) {
  const auto draw = [](int threads) {
    const ThreadCountGuard guard(threads);
    const Generator generator(11);
    const Tensor source = ones({kMany + 3});
    return std::vector{uniform({kMany + 3}, 0, 1, Dtype::f32, generator).to_vector<float>(),
                       normal({kMany + 3}, 0, 1, Dtype::f32, generator).to_vector<float>(),
                       dropout(source, 0.3, generator).to_vector<float>()};
  };
  const auto expected = draw(1);
  for (const int threads : {2, 3, 7}) EXPECT_EQ(draw(threads), expected) << threads << " threads";
}

TEST(Random, NarrowRangesKeepTheirUpperBoundOut) {
  const float high = std::nextafter(1.0F, 2.0F);
  for (const float value : uniform({1000}, 1, static_cast<double>(high)).to_vector<float>())
    EXPECT_LT(value, high);
}

/// Mean and mean square of many numbers, each of `kMany` independent ones.
std::pair<double, double> moments(const Tensor& numbers) {
  double sum = 0, squares = 0;
  for (const float x : numbers.to_vector<float>()) {
    sum += static_cast<double>(x);
    squares += static_cast<double>(x) * static_cast<double>(x);
  }
  return {sum / kMany, squares / kMany};
}

// Bounds of five standard errors: a fixed seed, so that they hold each time or never.
TEST(Random, MomentsAreThoseOfTheDistribution) {
  const Generator generator(5);
  const double root = std::sqrt(static_cast<double>(kMany));
  const auto [uniform_mean, uniform_square] = moments(uniform({kMany}, 0, 1, Dtype::f32, generator));
  EXPECT_NEAR(uniform_mean, 0.5, 5 * std::sqrt(1 / 12.0) / root);
  EXPECT_NEAR(uniform_square, 1 / 3.0, 5 * std::sqrt(4 / 45.0) / root);
  const auto [normal_mean, normal_square] = moments(normal({kMany}, 0, 1, Dtype::f32, generator));
  EXPECT_NEAR(normal_mean, 0, 5 / root);
  EXPECT_NEAR(normal_square, 1, 5 * std::sqrt(2.0) / root);
  const auto [kept_mean, kept_square] = moments(dropout(ones({kMany}), 0.2, generator));
  EXPECT_NEAR(kept_mean, 1, 5 * 0.5 / root);  // variance p / (1 - p)
  EXPECT_NEAR(kept_square, 1.25, 5 * 0.625 / root);
}

TEST(Random, ThreadsDrawPartsOfTheirOwn) {
  const Generator generator(1);
  std::vector<Tensor> drawn(4);
  {
    std::vector<std::jthread> threads;
    for (Tensor& numbers : drawn)
      threads.emplace_back(
          [&] { numbers = random_integers({500}, 0, int64_t{1} << 62, Dtype::i64, generator); });
  }
  std::vector<int64_t> all;
  for (const Tensor& numbers : drawn) {
    const std::vector<int64_t> values = numbers.to_vector<int64_t>();
    all.insert(all.end(), values.begin(), values.end());
  }
  std::sort(all.begin(), all.end());
  EXPECT_EQ(std::unique(all.begin(), all.end()), all.end());
}

}  // namespace
}  // namespace espalier::test
