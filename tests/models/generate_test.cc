#include "models/generate.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "models/gpt.h"
#include "models/mlp.h"
#include "models/resnet_cifar.h"
#include "ops/random.h"
#include "tests/support/message_of.h"

namespace espalier::models {
namespace {

using test::message_of;
using testing::ElementsAre;
using testing::HasSubstr;

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
  EXPECT_THAT(counts({-std::numeric_limits<float>::infinity(), 0}, {}), ElementsAre(0, 1000));
}

TEST(Sample, LeavesOutWhatIsImprobable) {
  const std::vector<float> logits = logs({0.1, 0.4, 0.2, 0.3});
  EXPECT_THAT(counts(logits, {.top_k = 2}), ElementsAre(0, 571, 0, 429));
  EXPECT_THAT(counts(logits, {.top_k = 9}), ElementsAre(100, 400, 200, 300));
  EXPECT_THAT(counts(logits, {.top_p = 0.65}), ElementsAre(0, 571, 0, 429));
  EXPECT_THAT(counts(logits, {.top_p = 0.75}), ElementsAre(0, 444, 222, 334));
  EXPECT_THAT(counts(logits, {.top_p = 1e-9}), ElementsAre(0, 1000, 0, 0));
  EXPECT_THAT(counts(logits, {.top_k = 3, .top_p = 0.65}), ElementsAre(0, 571, 0, 429));
}

TEST(Sample, RefusesWhatMakesNoSense) {
  const Tensor logits = zeros({3});
  const auto refusal = [&](const SamplingOptions& options, double uniform = 0) {
    return message_of<ValueError>([&] { sample(logits, options, uniform); });
  };
  EXPECT_THAT(refusal({.temperature = -1}), HasSubstr("[sample] temperature -1"));
  EXPECT_THAT(refusal({.temperature = std::nan("")}), HasSubstr("temperature nan"));
  EXPECT_THAT(refusal({.top_k = -1}), HasSubstr("top_k -1"));
  EXPECT_THAT(refusal({.top_p = 0}), HasSubstr("top_p 0"));
  EXPECT_THAT(refusal({.top_p = 1.5}), HasSubstr("top_p 1.5"));
  EXPECT_THAT(refusal({}, 1), HasSubstr("uniform 1"));
  EXPECT_THAT(message_of<ShapeError>([] { sample(zeros({2, 3}), {}, 0); }), HasSubstr("f32[2, 3]"));
  EXPECT_THAT(message_of<ShapeError>([] { sample(zeros({0}), {}, 0); }), HasSubstr("f32[0]"));
  EXPECT_THAT(message_of<TypeError>([] { sample(zeros({3}, Dtype::i64), {}, 0); }), HasSubstr("i64[3]"));
  const float inf = std::numeric_limits<float>::infinity(), nan = std::nanf("");
  for (const std::vector<float>& bad : {std::vector{0.F, nan}, {inf, 0.F}, {-inf, -inf}})
    EXPECT_THROW(sample(from_values(bad, {2}), {}, 0), NumericError);
}

/// A model that says: after t comes t + 1, up to 5 tokens.
Tensor count_up(const Tensor& tokens) {
  const std::vector<int64_t> ids = tokens.to_vector<int64_t>();
  std::vector<float> logits(ids.size() * 5, -100);
  for (size_t i = 0; i < ids.size(); ++i) logits[i * 5 + static_cast<size_t>((ids[i] + 1) % 5)] = 0;
  return from_values(logits, {1, tokens.size(1), 5});
}

TEST(Generate, GoesOnFromThePrompt) {
  const Tensor prompt = from_values<int64_t>({0, 3}, {2});
  EXPECT_THAT(generate(count_up, 8, prompt, 4, {}, 1).to_vector<int64_t>(), ElementsAre(0, 3, 4, 0, 1, 2));
  EXPECT_THAT(generate(count_up, 8, prompt, 0, {}, 1).to_vector<int64_t>(), ElementsAre(0, 3));
}

TEST(Generate, LooksBackAsFarAsTheContext) {
  std::vector<int64_t> seen;
  const auto model = [&](const Tensor& tokens) {
    seen.push_back(tokens.size(1));
    return count_up(tokens);
  };
  generate(model, 3, from_values<int64_t>({0, 1}, {2}), 4, {}, 1);
  EXPECT_THAT(seen, ElementsAre(2, 3, 3, 3));
}

TEST(Generate, IsTheSameForASeed) {
  manual_seed(1);
  const Gpt gpt(1, 16, 2, 8, 20);
  const Tensor prompt = from_values<int64_t>({7}, {1});
  const auto text = [&](uint64_t seed) {
    return generate(gpt, gpt.length(), prompt, 30, {}, seed).to_vector<int64_t>();
  };
  EXPECT_EQ(text(1), text(1));
  EXPECT_NE(text(1), text(2));
}

TEST(Generate, RefusesWhatMakesNoSense) {
  const Tensor prompt = from_values<int64_t>({0}, {1});
  EXPECT_THROW(generate(count_up, 8, zeros({0}, Dtype::i64), 1, {}, 1), ShapeError);
  EXPECT_THROW(generate(count_up, 8, zeros({1, 2}, Dtype::i64), 1, {}, 1), ShapeError);
  EXPECT_THROW(generate(count_up, 0, prompt, 1, {}, 1), ValueError);
  EXPECT_THROW(generate(count_up, 8, prompt, -1, {}, 1), ValueError);
  EXPECT_THROW(generate(count_up, 8, prompt, 0, {.top_p = 2}, 1), ValueError);
}

TEST(Models, RefuseSizesThatCannotBe) {
  EXPECT_THAT(message_of<ValueError>([] { Mlp net({3}); }), HasSubstr("[Mlp] 1 widths"));
  EXPECT_THAT(message_of<ValueError>([] { ResNetCifar net(0); }), HasSubstr("[ResNetCifar] 0 blocks"));
  EXPECT_THAT(message_of<ValueError>([] { Gpt net(1, 10, 3, 4); }), HasSubstr("[Gpt] width 10 and 3 heads"));
  EXPECT_EQ(ResNetCifar(1, 7, 1)(zeros({2, 1, 8, 8})).shape(), (Shape{2, 7}));
}

}  // namespace
}  // namespace espalier::models
