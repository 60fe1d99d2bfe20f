#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "nn/batch_norm1d.h"
#include "nn/conv1d.h"
#include "nn/conv_transpose2d.h"
#include "nn/flatten.h"
#include "nn/group_norm.h"
#include "nn/init.h"
#include "nn/pooling.h"
#include "nn/rms_norm.h"
#include "nn/sequential.h"
#include "nn/state.h"
#include "tests/nn/layer_checks.h"
#include "tests/support/message_of.h"

namespace espalier::nn {
namespace {

using test::contents;
using test::expect_uniform;
using test::message_of;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(Conv1d, NamesShapesAndInitialValuesAreThoseOfPyTorch) {
  Conv1d layer(8, 64, 9, {.stride = 2, .padding = 4, .groups = 2}, true, Generator(7));
  EXPECT_THAT(contents(layer), ElementsAre("weight: f32[64, 4, 9]", "bias: f32[64]"));
  expect_uniform(layer.weight, 1.0 / 6);
  EXPECT_EQ(to_string(layer(zeros({2, 8, 10})).shape()), "[2, 64, 5]");
  Conv1d plain(8, 4, 3, {}, false);
  EXPECT_THAT(contents(plain), ElementsAre("weight: f32[4, 8, 3]"));
  EXPECT_THAT(message_of<ValueError>([] { Conv1d(3, 8, 3, {.groups = 2}); }), HasSubstr("2 groups"));
}

TEST(ConvTranspose2d, NamesShapesAndInitialValuesAreThoseOfPyTorch) {
  ConvTranspose2d layer(32, 8, 3, {.stride = 2, .padding = 1, .output_padding = 1, .groups = 2}, true,
                        Generator(7));
  EXPECT_THAT(contents(layer), ElementsAre("weight: f32[32, 4, 3, 3]", "bias: f32[8]"));
  expect_uniform(layer.weight, 1.0 / 6);
  EXPECT_EQ(to_string(layer(zeros({2, 32, 5, 6})).shape()), "[2, 8, 10, 12]");
  EXPECT_THAT(message_of<ValueError>([] { ConvTranspose2d(8, 3, 3, {.groups = 2}); }), HasSubstr("2 groups"));
}

TEST(ConvTranspose1d, NamesShapesAndInitialValuesAreThoseOfPyTorch) {
  ConvTranspose1d layer(64, 8, 9, {.stride = 2, .padding = 4, .output_padding = 1, .groups = 2}, true,
                        Generator(7));
  EXPECT_THAT(contents(layer), ElementsAre("weight: f32[64, 4, 9]", "bias: f32[8]"));
  expect_uniform(layer.weight, 1.0 / 6);
  EXPECT_EQ(to_string(layer(zeros({2, 64, 5})).shape()), "[2, 8, 10]");
}

TEST(RMSNorm, DividesByTheRootOfTheMeanSquare) {
  RMSNorm layer(2);
  EXPECT_THAT(contents(layer), ElementsAre("weight: f32[2]"));
  const Tensor x = from_values<float>({3, -3, 0, 5}, {2, 2});
  EXPECT_THAT(layer(x).to_vector<float>(),
              testing::Pointwise(testing::FloatNear(1e-6F), {1.0F, -1.0F, 0.0F, std::sqrt(2.0F)}));
  RMSNorm plain(Shape{2, 2}, 1.0, false);
  EXPECT_THAT(contents(plain), ElementsAre());
  EXPECT_NEAR(plain(x).to_vector<float>()[0], 3 / std::sqrt(43.0 / 4 + 1), 1e-6);
}

TEST(GroupNorm, NormalisesGroupsOfChannels) {
  GroupNorm layer(2, 4);
  EXPECT_THAT(contents(layer), ElementsAre("weight: f32[4]", "bias: f32[4]"));
  const Tensor x = from_values<float>({1, 3, -10, 10}, {1, 4, 1});
  EXPECT_THAT(layer(x).to_vector<float>(), testing::Pointwise(testing::FloatNear(1e-4F), {-1, 1, -1, 1}));
  EXPECT_THAT(message_of<ValueError>([] { GroupNorm(3, 4); }), HasSubstr("3 groups do not divide 4"));
}

TEST(BatchNorm1d, FollowsTheBatchesOfVectorsAndSignals) {
  BatchNorm1d layer(3);
  EXPECT_THAT(contents(layer),
              ElementsAre("weight: f32[3]", "bias: f32[3]", "running_mean*: f32[3]", "running_var*: f32[3]"));
  layer(full({2, 3}, 5.0));
  EXPECT_THAT(layer.running_mean.to_vector<float>(), Each(0.5F));
  eval(layer);
  EXPECT_EQ(to_string(layer(full({2, 3, 4}, 5.0)).shape()), "[2, 3, 4]");
  EXPECT_THAT(layer.running_mean.to_vector<float>(), Each(0.5F));
  EXPECT_THROW(layer(zeros({2, 3, 4, 4})), ShapeError);
}

TEST(Pooling, LayersCallTheFunctionsOfTheirNames) {
  const Tensor x = normal_values({2, 3, 6, 7}, 1, Generator(1)),
               signal = normal_values({2, 3, 8}, 1, Generator(2));
  const auto same = [](const Tensor& a, const Tensor& b) {
    EXPECT_EQ(to_string(a.shape()), to_string(b.shape()));
    EXPECT_EQ(a.to_vector<float>(), b.to_vector<float>());
  };
  same(AvgPool2d(3, {.stride = 2})(x), avg_pool2d(x, 3, {.stride = 2}));
  same(MaxPool2d(3, {.padding = 1})(x), max_pool2d(x, 3, {.padding = 1}));
  same(AdaptiveAvgPool2d({4, 3})(x), adaptive_avg_pool2d(x, {4, 3}));
  same(AdaptiveMaxPool2d({4, 3})(x), adaptive_max_pool2d(x, {4, 3}));
  same(AvgPool1d(3, {.stride = 2})(signal), avg_pool1d(signal, 3, {.stride = 2}));
  same(MaxPool1d(3, {.stride = 2})(signal), max_pool1d(signal, 3, {.stride = 2}));
}

TEST(Flatten, JoinsAllAxesButTheBatch) {
  Sequential model(MaxPool2d(2), Identity(), Flatten());
  EXPECT_THAT(contents(model), ElementsAre());
  EXPECT_EQ(to_string(model(zeros({5, 3, 4, 4})).shape()), "[5, 12]");
  EXPECT_EQ(to_string(Flatten(0, 1)(zeros({5, 3, 4})).shape()), "[15, 4]");
}

}  // namespace
}  // namespace espalier::nn
