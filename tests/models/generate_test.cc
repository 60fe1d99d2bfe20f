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
