#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "core/error.h"
#include "nn/batch_norm2d.h"
#include "nn/conv2d.h"
#include "nn/dropout.h"
#include "nn/embedding.h"
#include "nn/init.h"
#include "nn/layer_norm.h"
#include "nn/linear.h"
#include "nn/losses.h"
#include "nn/self_attention.h"
#include "nn/sequential.h"
#include "nn/state.h"
#include "ops/relu.h"
#include "ops/sigmoid.h"
#include "ops/sum.h"
#include "tests/nn/layer_checks.h"
#include "tests/support/message_of.h"

namespace espalier::nn {
namespace {

using test::contents;
using test::expect_uniform;
using test::message_of;
using test::Moments;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(Linear, NamesShapesAndInitialValuesAreThoseOfPyTorch) {
  Linear layer(100, 40, true, Generator(7));
  EXPECT_THAT(contents(layer), ElementsAre("weight: f32[40, 100]", "bias: f32[40]"));
  expect_uniform(layer.weight, 0.1);
  EXPECT_LE(Moments(layer.bias).largest, 0.1);
  EXPECT_GT(Moments(layer.bias).deviation, 0.03);
  Linear plain(100, 40, false);
  EXPECT_THAT(contents(plain), ElementsAre("weight: f32[40, 100]"));
  EXPECT_EQ(to_string(layer(zeros({5, 2, 100})).shape()), "[5, 2, 40]");
}

TEST(Linear, SameGeneratorSameValues) {
  EXPECT_EQ(Linear(8, 8, true, Generator(3)).weight.to_vector<float>(),
            Linear(8, 8, true, Generator(3)).weight.to_vector<float>());
  EXPECT_NE(Linear(8, 8, true, Generator(3)).weight.to_vector<float>(),
            Linear(8, 8, true, Generator(4)).weight.to_vector<float>());
}

TEST(Conv2d, NamesShapesAndInitialValuesAreThoseOfPyTorch) {
  Conv2d layer(8, 32, 3, {.padding = 1, .groups = 2}, true, Generator(7));
  EXPECT_THAT(contents(layer), ElementsAre("weight: f32[32, 4, 3, 3]", "bias: f32[32]"));
  expect_uniform(layer.weight, 1.0 / 6);
  EXPECT_EQ(to_string(layer(zeros({2, 8, 5, 6})).shape()), "[2, 32, 5, 6]");
  EXPECT_THAT(message_of<ValueError>([] { Conv2d(3, 8, 3, {.groups = 2}); }), HasSubstr("2 groups"));
}

TEST(BatchNorm2d, StartsAsTheIdentityAndFollowsTheBatches) {
  BatchNorm2d layer(3);
  EXPECT_THAT(contents(layer),
              ElementsAre("weight: f32[3]", "bias: f32[3]", "running_mean*: f32[3]", "running_var*: f32[3]"));
  EXPECT_THAT(layer.weight.to_vector<float>(), Each(1));
  EXPECT_THAT(layer.running_var.to_vector<float>(), Each(1));
  const Tensor x = full({2, 3, 2, 2}, 5.0);
  layer(x);
  EXPECT_THAT(layer.running_mean.to_vector<float>(), Each(0.5F));
  eval(layer);
  layer(x);
  EXPECT_THAT(layer.running_mean.to_vector<float>(), Each(0.5F));
}

TEST(LayerNorm, NormalisesTheLastAxis) {
  LayerNorm layer(2);
  EXPECT_THAT(contents(layer), ElementsAre("weight: f32[2]", "bias: f32[2]"));
  const std::vector<float> y = layer(from_values<float>({1, 3, -10, 10}, {2, 2})).to_vector<float>();
  EXPECT_THAT(y, testing::Pointwise(testing::FloatNear(1e-4F), {-1, 1, -1, 1}));
}

TEST(Embedding, LooksUpNormalRows) {
  Embedding layer(50, 40, Generator(7));
  EXPECT_THAT(contents(layer), ElementsAre("weight: f32[50, 40]"));
  EXPECT_NEAR(Moments(layer.weight).mean, 0, 0.1);
  EXPECT_NEAR(Moments(layer.weight).deviation, 1, 0.1);
  EXPECT_EQ(to_string(layer(zeros({2, 3}, Dtype::i64)).shape()), "[2, 3, 40]");
}

TEST(Init, HeNormalDeviatesByTheRootOfTwoOverFanIn) {
  EXPECT_NEAR(Moments(kaiming_normal({64, 50}, 50, Generator(1))).deviation, 0.2, 0.01);
  EXPECT_NEAR(Moments(normal_values({64, 50}, 0.02, Generator(1))).deviation, 0.02, 0.001);
}

TEST(Dropout, IsSilentInEvaluation) {
  Sequential model(Dropout(0.5, Generator(3)), relu);
  const Tensor x = ones({1000});
  const auto dropped = [&] {
    const std::vector<float> y = model(x).to_vector<float>();
    return std::count(y.begin(), y.end(), 0.0F);
  };
  EXPECT_NEAR(static_cast<double>(dropped()), 500, 100);
  eval(model);
  EXPECT_EQ(dropped(), 0);
  train(model);
  EXPECT_GT(dropped(), 0);
}

TEST(SelfAttention, KeepsTheShapeAndLooksBackOnly) {
  SelfAttention layer(6, 2, true, Generator(3));
  EXPECT_THAT(contents(layer), ElementsAre("c_attn.weight: f32[18, 6]", "c_attn.bias: f32[18]",
                                           "c_proj.weight: f32[6, 6]", "c_proj.bias: f32[6]"));
  const Tensor x = requires_grad_(normal_values({1, 4, 6}, 1, Generator(1)));
  const Tensor y = layer(x);
  EXPECT_EQ(to_string(y.shape()), "[1, 4, 6]");
  // The result at position 1 does not depend on positions 2 and 3.
  Tensor seed = zeros({1, 4, 6});
  std::fill_n(seed.mutable_data<float>() + 6, 6, 1.0F);
  const std::vector<float> gradient = grad(y, x, {.gradients = {seed}}).to_vector<float>();
  EXPECT_THAT(std::vector(gradient.begin() + 12, gradient.end()), Each(0));
  EXPECT_THAT(std::vector(gradient.begin(), gradient.begin() + 6), testing::Contains(testing::Ne(0)));
  EXPECT_THAT(message_of<ValueError>([] { SelfAttention(6, 4); }), HasSubstr("4 heads"));
}

TEST(Sequential, HoldsLayersFunctionsAndItself) {
  Sequential model(Linear(4, 3), relu, Sequential(Linear(3, 2, false)),
                   [](const Tensor& x) { return sum(x, {-1}); });
  EXPECT_THAT(contents(model), ElementsAre("0.weight: f32[3, 4]", "0.bias: f32[3]", "2.0.weight: f32[2, 3]"));
  EXPECT_EQ(to_string(model(zeros({7, 4})).shape()), "[7]");
}

TEST(Losses, CallTheFunctionsOfTheirNamesWithTheirOptions) {
  const Tensor x = from_values<float>({0.5, 0.25, 2, -3}, {2, 2}),
               y = from_values<float>({1, 0, 0, 1}, {2, 2});
  const Tensor p = sigmoid(x), signs = from_values<float>({1, -1}, {2}), target = zeros({2}, Dtype::i64);
  const auto column = [](const Tensor& t) { return sum(t, {1}); };
  constexpr LossReduction kSum = LossReduction::sum;
  const std::pair<Tensor, Tensor> cases[] = {
      {CrossEntropyLoss()(x, target), cross_entropy(x, target)},
      {CrossEntropyLoss{{.label_smoothing = 0.1}}(x, target),
       cross_entropy(x, target, {.label_smoothing = 0.1})},
      {NLLLoss{{.reduction = kSum}}(x, target), nll_loss(x, target, {.reduction = kSum})},
      {BCELoss{{.reduction = kSum}}(p, y), binary_cross_entropy(p, y, {.reduction = kSum})},
      {BCEWithLogitsLoss{{.pos_weight = signs}}(x, y),
       binary_cross_entropy_with_logits(x, y, {.pos_weight = signs})},
      {MSELoss()(x, y), mse_loss(x, y)},
      {MSELoss{kSum}(x, y), mse_loss(x, y, kSum)},
      {L1Loss{kSum}(x, y), l1_loss(x, y, kSum)},
      {HuberLoss{{.delta = 0.5}}(x, y), huber_loss(x, y, {.delta = 0.5})},
      {SmoothL1Loss{{.beta = 0.5}}(x, y), smooth_l1_loss(x, y, {.beta = 0.5})},
      {KLDivLoss{{.log_target = true}}(x, y), kl_div(x, y, {.log_target = true})},
      {PoissonNLLLoss{{.full = true}}(x, y), poisson_nll_loss(x, y, {.full = true})},
      {GaussianNLLLoss{{.full = true}}(x, y, p), gaussian_nll_loss(x, y, p, {.full = true})},
      {sum(CosineSimilarity{{.axis = 0}}(x, p)), sum(cosine_similarity(x, p, {.axis = 0}))},
      {CosineEmbeddingLoss{{.margin = 0.1}}(x, y, signs),
       cosine_embedding_loss(x, y, signs, {.margin = 0.1})},
      {HingeEmbeddingLoss()(column(x), signs), hinge_embedding_loss(column(x), signs)},
      {MarginRankingLoss{{.margin = 0.1}}(x, p, y), margin_ranking_loss(x, p, y, {.margin = 0.1})},
      {TripletMarginLoss{{.margin = 9, .p = 1}}(x, y, p),
       triplet_margin_loss(x, y, p, {.margin = 9, .p = 1})},
  };
  for (size_t i = 0; i < std::size(cases); ++i) {
    EXPECT_EQ(cases[i].first.item(), cases[i].second.item()) << "case " << i;
    EXPECT_NE(cases[i].first.item(), 0) << "case " << i;
  }
}

}  // namespace
}  // namespace espalier::nn
