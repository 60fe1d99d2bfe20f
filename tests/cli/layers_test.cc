#include "cli/layers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "nn/state.h"
#include "ops/random.h"
#include "tests/support/message_of.h"

namespace espalier::cli {
namespace {

using test::message_of;
using testing::HasSubstr;

TEST(Layers, AreSizedByWhatComesIn) {
  Layers layers = make_layers(
      "conv 6 3 stride=2 padding=1 bias=false, batch_norm, relu, max_pool 2, conv 4 1 groups=2, "
      "average_pool 2 stride=1, flatten, linear 7, layer_norm, dropout 0.1, linear 5 bias=false",
      {3, 16, 16});
  std::map<std::string, Shape> shapes;
  for (const auto& [name, tensor] : nn::named_parameters(layers.net)) shapes[name] = tensor.shape();
  EXPECT_EQ(shapes.at("0.weight"), (Shape{6, 3, 3, 3}));
  EXPECT_FALSE(shapes.contains("0.bias"));
  EXPECT_EQ(shapes.at("1.weight"), Shape{6});
  EXPECT_EQ(shapes.at("4.weight"), (Shape{4, 3, 1, 1}));
  EXPECT_EQ(shapes.at("7.weight"), (Shape{7, 36}));  // 4 channels of 3 x 3
  EXPECT_EQ(shapes.at("8.weight"), Shape{7});
  EXPECT_EQ(shapes.at("10.weight"), (Shape{5, 7}));
  EXPECT_EQ(layers.output, Shape{5});
  EXPECT_EQ(layers.net(zeros({2, 3, 16, 16})).shape(), (Shape{2, 5}));
}

TEST(Layers, AreForTrainingAtFirst) {
  Layers layers = make_layers("dropout 0.999999", {1000});
  const std::vector<float> left = layers.net(ones({2, 1000})).to_vector<float>();
  EXPECT_LT(std::count_if(left.begin(), left.end(), [](float value) { return value != 0; }), 10);
}

TEST(Layers, AreSizedWithoutDrawingNumbers) {
  const auto last_weight = [](const std::string& text) {
    manual_seed(5);
    Layers layers = make_layers(text, {4});
    return nn::parameters(layers.net)[0].detach().to_vector<float>();
  };
  EXPECT_EQ(last_weight("dropout 0.5, linear 3"), last_weight("linear 3"));
}

TEST(Layers, TakeEveryActivationAndRowsAsWell) {
  for (const char* name :
       {"relu", "leaky_relu", "gelu", "silu", "elu", "tanh", "sigmoid", "batch_norm", "layer_norm"}) {
    Layers layers = make_layers(std::string("linear 3, ") + name, {4});
    EXPECT_EQ(layers.net(ones({2, 4})).shape(), (Shape{2, 3})) << name;
  }
  EXPECT_EQ(make_layers("global_average_pool", {3, 5, 5}).output, Shape{3});
}

TEST(Layers, RefuseWhatTheyDoNotKnow) {
  const auto refusal = [](const std::string& text) {
    return message_of<ValueError>([&] { make_layers(text, {3, 8, 8}); });
  };
  EXPECT_THAT(refusal("flatten, liner 10"),
              testing::StartsWith("[model, layer 2] 'liner' is no layer; there are "));
  EXPECT_THAT(refusal("flatten, liner 10"), HasSubstr("did you mean 'linear'?"));
  EXPECT_THAT(refusal(""), HasSubstr("'' is no layer"));
  EXPECT_THAT(refusal("flatten,"), HasSubstr("[model, layer 2] '' is no layer"));
  EXPECT_EQ(refusal("linear"), "[model, layer 1] 'linear' lacks a number: its features");
  EXPECT_EQ(refusal("conv 3"), "[model, layer 1] 'conv' lacks a number: its kernel's side");
  EXPECT_EQ(refusal("conv 3 3 3"), "[model, layer 1] 'conv' has no use for '3'");
  EXPECT_EQ(refusal("relu 1"), "[model, layer 1] 'relu' has no use for '1'");
  EXPECT_EQ(refusal("conv 3 3 pading=1"), "[model, layer 1] 'conv' has no option 'pading'");
  EXPECT_THAT(refusal("linear -3"), HasSubstr("has '-3'; expected a whole number"));
  EXPECT_THAT(refusal("linear 16777217"), HasSubstr("has '16777217'"));
  EXPECT_THAT(refusal("linear 3.5"), HasSubstr("has '3.5'"));
  EXPECT_THAT(refusal("conv 3 3 stride=x"), HasSubstr("'x'; expected a whole number, its stride"));
  EXPECT_THAT(refusal("conv 3 3 bias=no"), HasSubstr("expected true or false"));
  EXPECT_THAT(refusal("dropout much"), HasSubstr("expected a number"));
  EXPECT_THAT(refusal("dropout 1.5"), HasSubstr("1.5"));
}

TEST(Layers, RefuseWhatDoesNotFit) {
  const auto refusal = [](const std::string& text, const Shape& input) {
    return message_of<ShapeError>([&] { make_layers(text, input); });
  };
  EXPECT_THAT(refusal("flatten, conv 3 3", {3, 8, 8}),
              HasSubstr("[model, layer 2] 'conv' takes images [N, C, H, W]; what comes in is f32[2, 192]"));
  EXPECT_THAT(refusal("conv 4 9", {3, 8, 8}), testing::StartsWith("[model, layer 1] 'conv 4 9': [conv2d]"));
  EXPECT_THAT(refusal("batch_norm", {3, 8}), HasSubstr("takes rows [N, C]"));
}

TEST(Layers, RefuseWhatNoMemoryHolds) {
  EXPECT_THAT(message_of<ValueError>([] { make_layers("linear 16777216, linear 16777216", {2}); }),
              HasSubstr("[model, layer 2] 'linear' would have"));
}

}  // namespace
}  // namespace espalier::cli
