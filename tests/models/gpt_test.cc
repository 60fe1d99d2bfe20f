#include "models/gpt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "core/error.h"
#include "models/generate.h"
#include "ops/at.h"
#include "ops/cast.h"
#include "ops/copy.h"
#include "ops/expand.h"
#include "ops/random.h"
#include "runtime/compile.h"
#include "tests/models/small_gpt.h"
#include "tests/support/message_of.h"

namespace espalier::models {
namespace {

using test::kLength;
using test::kVocabulary;
using test::message_of;
using test::small_gpt;
using testing::FloatNear;
using testing::HasSubstr;
using testing::Pointwise;

/// The logits behind token t, of the whole sequences at once.
std::vector<float> logits_behind(const Gpt& gpt, const Tensor& tokens, int64_t t) {
  const NoGrad no_grad;
  return contiguous(at(gpt(tokens), kAll, t)).to_vector<float>();
}

TEST(GptCache, EachTokenSeesAllBeforeIt) {
  const Gpt gpt = small_gpt();
  const Tensor tokens = random_integers({3, kLength}, 0, kVocabulary);
  GptCache cache(gpt, 3);
  int64_t seen = 0;
  for (const int64_t count : {5, 1, 1, 3, 1, 5}) {
    const Tensor logits = gpt(at(tokens, kAll, Range{seen, seen + count}), cache);
    seen += count;
    // The same sums, split otherwise: some roundings of logits of size 10.
    EXPECT_THAT(logits.to_vector<float>(), Pointwise(FloatNear(1e-4F), logits_behind(gpt, tokens, seen - 1)));
    EXPECT_EQ(cache.lengths.to_vector<int64_t>(), std::vector<int64_t>(3, seen));
  }
  EXPECT_THAT(message_of<ValueError>([&] { gpt(at(tokens, kAll, Range{0, 1}), cache); }),
              HasSubstr("sequence 0 of the cache has 16 steps, to which 1 come, but it holds 16"));
  EXPECT_EQ(cache.lengths.to_vector<int64_t>(), std::vector<int64_t>(3, kLength));
  cache.clear();
  const Tensor logits = gpt(at(tokens, kAll, Range{0, 2}), cache);
  EXPECT_THAT(logits.to_vector<float>(), Pointwise(FloatNear(1e-4F), logits_behind(gpt, tokens, 1)));
}

TEST(GptCache, IsStateOfACompiledFunction) {
  Gpt gpt = small_gpt();
  const Tensor tokens = random_integers({1, kLength}, 0, kVocabulary);
  GptCache cache(gpt);
  auto step = runtime::compile([&](const Tensor& next) { return gpt(next, cache); }, gpt, cache);
  const auto expect_whole_logits = [&](int64_t count) {
    for (int64_t t = 0; t < count; ++t) {
      const Tensor logits = step(at(tokens, kAll, Range{t, t + 1}));
      EXPECT_THAT(logits.to_vector<float>(), Pointwise(FloatNear(1e-4F), logits_behind(gpt, tokens, t)));
    }
  };
  expect_whole_logits(3);
  {
    const NoGrad no_grad;  // constants that somebody changes, though they were packed, are what they are now
    for (auto& [name, parameter] : nn::named_parameters(gpt))
      copy_(parameter, uniform(parameter.shape(), -1, 1));
  }
  cache.clear();
  expect_whole_logits(kLength);
  EXPECT_EQ(step.plan_count(), 1);
  EXPECT_THAT(message_of<ValueError>([&] { step(at(tokens, kAll, Range{0, 1})); }),
              HasSubstr("sequence 0 of the cache has 16 steps, to which 1 come, but it holds 16"));
  EXPECT_EQ(cache.lengths.to_vector<int64_t>(), std::vector<int64_t>{kLength});
}

TEST(GptCache, IsOfTheWeightsType) {
  Gpt gpt = small_gpt();
  gpt.wte.weight = cast(gpt.wte.weight.detach(), Dtype::bf16);
  EXPECT_EQ(GptCache(gpt).keys[0].dtype(), Dtype::bf16);
  EXPECT_EQ(GptCache(gpt).values[1].dtype(), Dtype::bf16);
}

TEST(GptCache, TextsOfDifferentLengthsAreReadTogether) {
  const Gpt gpt = small_gpt();
  const Tensor tokens = random_integers({3, 9}, 0, kVocabulary);
  const std::vector<int64_t> counts = {4, 9, 1};
  GptCache cache(gpt, 3);
  const auto logits = gpt(tokens, from_values(counts, {3}), cache).to_vector<float>();
  std::vector<float> expected;
  for (int64_t n = 0; n < 3; ++n) {
    const auto row = logits_behind(gpt, at(tokens, Range{n, n + 1}), counts[static_cast<size_t>(n)] - 1);
    expected.insert(expected.end(), row.begin(), row.end());
  }
  EXPECT_THAT(logits, Pointwise(FloatNear(1e-4F), expected));
  EXPECT_EQ(cache.lengths.to_vector<int64_t>(), counts);

  // They go on from there, and the place of one may be taken by another.
  GptCache one(gpt);
  gpt(at(tokens, Range{2, 3}, Range{0, 6}), one);
  cache.replace(1, one);
  const Tensor whole = at(tokens, Range{2, 3}, Range{0, 7});
  const Tensor next = gpt(expand(at(whole, kAll, Range{6, 7}), {3, 1}), cache);
  EXPECT_THAT(at(next, 1).to_vector<float>(), Pointwise(FloatNear(1e-4F), logits_behind(gpt, whole, 6)));
  EXPECT_EQ(cache.lengths.to_vector<int64_t>(), (std::vector<int64_t>{5, 7, 2}));
}

TEST(GptCache, RefusesWhatMakesNoSense) {
  const Gpt gpt = small_gpt();
  EXPECT_THAT(message_of<ValueError>([&] { GptCache(gpt, 0); }), HasSubstr("0 sequences"));
  GptCache cache(gpt, 2);
  EXPECT_THAT(message_of<ShapeError>([&] { gpt(zeros({3, 1}, Dtype::i64), cache); }),
              HasSubstr("the 2 sequences of the cache"));
  EXPECT_THAT(message_of<ShapeError>([&] { gpt(zeros({2}, Dtype::i64), cache); }), HasSubstr("[N, T]"));
  const Tensor tokens = zeros({2, 3}, Dtype::i64);
  for (const int64_t count : {0, 4}) {
    EXPECT_THROW(gpt(tokens, from_values<int64_t>({1, count}, {2}), cache), ValueError) << count;
    EXPECT_EQ(cache.lengths.to_vector<int64_t>(), std::vector<int64_t>(2, 0));
  }
  EXPECT_THAT(message_of<ValueError>([&] { cache.replace(2, GptCache(gpt)); }), HasSubstr("no sequence 2"));
  EXPECT_THAT(message_of<ShapeError>([&] { cache.replace(0, cache); }), HasSubstr("2 sequences"));
}

TEST(Generate, FromACacheIsAsFromTheWhole) {
  const Gpt gpt = small_gpt();
  const Tensor prompt = random_integers({5}, 0, kVocabulary);
  // Beyond the context, too.
  for (const double temperature : {0.0, 0.7}) {
    const SamplingOptions options{.temperature = temperature};
    EXPECT_EQ(generate(gpt, prompt, 30, options, 4).to_vector<int64_t>(),
              generate([&](const Tensor& tokens) { return gpt(tokens); }, kLength, prompt, 30, options, 4)
                  .to_vector<int64_t>());
  }
  const Tensor long_prompt = random_integers({20}, 0, kVocabulary);
  EXPECT_EQ(generate(gpt, long_prompt, 0, {}, 4).to_vector<int64_t>(), long_prompt.to_vector<int64_t>());
  EXPECT_EQ(generate(gpt, long_prompt, 3, {}, 4).numel(), 23);
}

}  // namespace
}  // namespace espalier::models
