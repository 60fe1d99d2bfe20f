#include "models/gpt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "core/error.h"
#include "models/generate.h"
#include "ops/at.h"
#include "ops/cast.h"
#include "ops/copy.h"
#include "ops/random.h"
#include "runtime/compile.h"
#include "tests/support/message_of.h"

namespace espalier::models {
namespace {

using test::message_of;
using testing::FloatNear;
using testing::HasSubstr;
using testing::Pointwise;

constexpr int64_t kLength = 16, kVocabulary = 11;

Gpt small_gpt() {
  manual_seed(3);
  Gpt gpt(2, 32, 4, kLength, kVocabulary);
  const NoGrad no_grad;
  // Larger weights than a fresh model's, so that the logits depend on all tokens.
  for (auto& [name, parameter] : nn::named_parameters(gpt))
    copy_(parameter, uniform(parameter.shape(), -1, 1));
  return gpt;
}

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

TEST(GptCache, RefusesWhatMakesNoSense) {
  const Gpt gpt = small_gpt();
  EXPECT_THAT(message_of<ValueError>([&] { GptCache(gpt, 0); }), HasSubstr("0 sequences"));
  GptCache cache(gpt, 2);
  EXPECT_THAT(message_of<ShapeError>([&] { gpt(zeros({3, 1}, Dtype::i64), cache); }),
              HasSubstr("the 2 sequences of the cache"));
  EXPECT_THAT(message_of<ShapeError>([&] { gpt(zeros({2}, Dtype::i64), cache); }), HasSubstr("[N, T]"));
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
