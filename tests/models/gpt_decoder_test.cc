#include "models/gpt_decoder.h"

#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "core/error.h"
#include "models/generate.h"
#include "ops/copy.h"
#include "ops/slice.h"
#include "tests/models/small_gpt.h"
#include "tests/support/message_of.h"

namespace espalier::models {
namespace {

using test::kLength;
using test::kVocabulary;
using test::message_of;
using test::small_gpt;
using testing::Each;
using testing::ElementsAre;
using testing::Ge;
using testing::HasSubstr;

/// Hot enough that a text of the small model's is no loop.
const SamplingOptions kDrawn{.temperature = 4, .top_k = 9, .top_p = 0.95};
const SamplingOptions kGreedy{.temperature = 0};

Tensor prompt_of(int64_t length, uint64_t seed) {
  return random_integers({length}, 0, kVocabulary, Dtype::i64, Generator(seed));
}

/// The tokens that come behind a prompt, by a decoder for one text.
std::vector<int64_t> alone(const Gpt& gpt, const SamplingOptions& sampling, const Tensor& prompt,
                           int64_t count, uint64_t seed, uint64_t offset = 0) {
  GptDecoder decoder(gpt, 1, sampling);
  std::vector<int64_t> tokens = {decoder.start(0, prompt, seed, offset)};
  while (static_cast<int64_t>(tokens.size()) < count) tokens.push_back(decoder.step()[0]);
  return tokens;
}

std::vector<int64_t> behind(const Tensor& prompt, const Tensor& text) {
  return slice(text, 0, {.start = prompt.size(0)}).to_vector<int64_t>();
}

TEST(GptDecoder, TextsDoNotDependOnEachOther) {
  const Gpt gpt = small_gpt();
  // Within the context to its end, from its end on, and beyond it from the start.
  const std::vector<Tensor> prompts = {prompt_of(2, 1), prompt_of(kLength, 2), prompt_of(20, 3),
                                       prompt_of(9, 4)};
  for (const SamplingOptions& sampling : {kGreedy, kDrawn}) {
    const std::vector<Tensor> texts = generate(gpt, prompts, {.count = 25, .sampling = sampling, .seed = 6});
    for (size_t n = 0; n < prompts.size(); ++n) {
      EXPECT_EQ(behind(prompts[n], texts[n]),
                alone(gpt, sampling, prompts[n], 25, 6, static_cast<uint64_t>(n) << 32))
          << n;
    }
    const auto logits = [&](const Tensor& tokens) { return gpt(tokens); };
    EXPECT_EQ(texts[0].to_vector<int64_t>(),
              generate(logits, kLength, prompts[0], 25, sampling, 6).to_vector<int64_t>());
  }
}

TEST(GptDecoder, EachTextDrawsItsOwnNumbers) {
  const Gpt gpt = small_gpt();
  const std::vector<Tensor> prompts(3, prompt_of(3, 1));
  const auto texts = [&](uint64_t seed) {
    std::vector<std::vector<int64_t>> all;
    for (const Tensor& text : generate(gpt, prompts, {.count = 30, .sampling = kDrawn, .seed = seed}))
      all.push_back(text.to_vector<int64_t>());
    return all;
  };
  const auto first = texts(1);
  EXPECT_EQ(first, texts(1));
  EXPECT_NE(first, texts(2));
  EXPECT_NE(first[0], first[1]);
  EXPECT_NE(first[1], first[2]);
}

TEST(GptDecoder, ASequenceBeginsAnewWhileOthersGoOn) {
  const Gpt gpt = small_gpt();
  const Tensor first = prompt_of(4, 1), second = prompt_of(6, 2);
  GptDecoder decoder(gpt, 2, kDrawn);
  std::vector<int64_t> tokens = {decoder.start(0, first, 1)}, others;
  tokens.push_back(decoder.step()[0]);
  EXPECT_THAT(decoder.step(), ElementsAre(Ge(0), -1));
  tokens.push_back(alone(gpt, kDrawn, first, 3, 1)[2]);
  decoder.start(1, first, 2);
  tokens.push_back(decoder.step()[0]);
  others.push_back(decoder.start(1, second, 3));  // in the place of another
  for (int i = 0; i < 20; ++i) {
    const std::vector<int64_t>& next = decoder.step();
    tokens.push_back(next[0]);
    others.push_back(next[1]);
  }
  EXPECT_EQ(tokens, alone(gpt, kDrawn, first, static_cast<int64_t>(tokens.size()), 1));
  EXPECT_EQ(others, alone(gpt, kDrawn, second, 21, 3));
  decoder.stop(0);
  EXPECT_THAT(decoder.step(), ElementsAre(-1, Ge(0)));
  decoder.stop(1);
  EXPECT_THAT(decoder.step(), ElementsAre(-1, -1));
}

TEST(GptDecoder, GoesByTheWeightsOfNow) {
  Gpt gpt = small_gpt();
  const Tensor prompt = prompt_of(4, 1);
  GptDecoder decoder(gpt, 1, kGreedy);
  decoder.start(0, prompt, 1);
  {
    const NoGrad no_grad;
    copy_(gpt.wte.weight, uniform(gpt.wte.weight.shape(), -1, 1));
  }
  std::vector<int64_t> tokens = {decoder.start(0, prompt, 1)};
  for (int i = 0; i < 5; ++i) tokens.push_back(decoder.step()[0]);
  EXPECT_EQ(tokens, alone(gpt, kGreedy, prompt, 6, 1));
}

TEST(GptDecoder, RefusesWhatMakesNoSense) {
  const Gpt gpt = small_gpt();
  EXPECT_THROW(GptDecoder(gpt, 0, {}), ValueError);
  EXPECT_THAT(message_of<ValueError>([&] { GptDecoder(gpt, 1, {.top_p = 2}); }), HasSubstr("top_p 2"));
  GptDecoder decoder(gpt, 2, kGreedy);
  EXPECT_THAT(message_of<ValueError>([&] { decoder.start(2, prompt_of(3, 1), 1); }),
              HasSubstr("no sequence 2; expected one of 2"));
  EXPECT_THROW(decoder.stop(-1), ValueError);
  EXPECT_THROW(decoder.start(0, zeros({0}, Dtype::i64), 1), ShapeError);
  EXPECT_THROW(decoder.start(0, zeros({1, 2}, Dtype::i64), 1), ShapeError);
  EXPECT_THROW(decoder.start(0, zeros({2}), 1), TypeError);
  EXPECT_THAT(message_of<ValueError>([&] { decoder.start(0, full({1}, kVocabulary, Dtype::i64), 1); }),
              HasSubstr("outside the 11 rows"));
  EXPECT_THAT(decoder.step(), Each(-1));
  EXPECT_EQ(decoder.start(0, prompt_of(3, 1), 1), alone(gpt, kGreedy, prompt_of(3, 1), 1, 1)[0]);
}

TEST(GptDecoder, SaysWhereThereIsNothingToDrawFrom) {
  Gpt gpt = small_gpt();
  GptDecoder decoder(gpt, 1, kDrawn);
  decoder.start(0, prompt_of(3, 1), 1);
  {
    const NoGrad no_grad;
    copy_(gpt.ln_f.bias, full(gpt.ln_f.bias.shape(), std::nan("")));
  }
  EXPECT_THAT(message_of<NumericError>([&] { decoder.step(); }), HasSubstr("row 0 of the logits"));
}

TEST(Generate, StopsBehindTheEnd) {
  const Gpt gpt = small_gpt();
  const std::vector<Tensor> prompts = {prompt_of(2, 1), prompt_of(5, 2), prompt_of(3, 3)};
  GenerationOptions options{.count = 40, .sampling = kDrawn, .seed = 2};
  const std::vector<Tensor> whole = generate(gpt, prompts, options);
  options.end = 3;
  std::vector<std::vector<int64_t>> heard(3);
  options.on_token = [&](int64_t text, int64_t token) { heard[static_cast<size_t>(text)].push_back(token); };
  const std::vector<Tensor> texts = generate(gpt, prompts, options);
  size_t ended = 0;
  for (size_t n = 0; n < prompts.size(); ++n) {
    std::vector<int64_t> expected = behind(prompts[n], whole[n]);
    const auto end = std::find(expected.begin(), expected.end(), 3);
    if (end != expected.end()) {
      expected.erase(end + 1, expected.end());
      ++ended;
    }
    EXPECT_EQ(behind(prompts[n], texts[n]), expected);
    EXPECT_EQ(heard[n], expected);
  }
  EXPECT_GT(ended, 0U);
}

TEST(Generate, TokensComeOneByOne) {
  const Gpt gpt = small_gpt();
  const std::vector<Tensor> prompts = {prompt_of(2, 1), prompt_of(5, 2)};
  std::vector<int64_t> order;
  generate(gpt, prompts, {.count = 3, .on_token = [&](int64_t text, int64_t) { order.push_back(text); }});
  EXPECT_THAT(order, ElementsAre(0, 1, 0, 1, 0, 1));
  EXPECT_TRUE(generate(gpt, std::span<const Tensor>(), {.count = 3}).empty());
  EXPECT_EQ(generate(gpt, prompts, {.count = 0})[1].to_vector<int64_t>(), prompts[1].to_vector<int64_t>());
}

}  // namespace
}  // namespace espalier::models
