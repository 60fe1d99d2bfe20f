#include "nn/multihead_attention.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "core/error.h"
#include "nn/state.h"
#include "nn/transformer.h"
#include "ops/random.h"
#include "ops/slice.h"

namespace espalier::nn {
namespace {

using testing::HasSubstr;

/// The largest difference.
double difference(const Tensor& a, const Tensor& b) {
  const std::vector<float> x = a.to_vector<float>(), y = b.to_vector<float>();
  EXPECT_EQ(x.size(), y.size());
  double worst = 0;
  for (size_t i = 0; i < x.size(); ++i)
    worst = std::max(worst, std::abs(static_cast<double>(x[i]) - static_cast<double>(y[i])));
  return worst;
}

TEST(MultiheadAttention, NamesAndInitialValuesAreThoseOfPyTorch) {
  MultiheadAttention layer(32, 4);
  std::string names;
  for (const auto& [name, tensor] : named_parameters(layer)) names += name + to_string(tensor.shape()) + " ";
  EXPECT_EQ(names, "in_proj_weight[96, 32] in_proj_bias[96] out_proj.weight[32, 32] out_proj.bias[32] ");
  const double bound = std::sqrt(6.0 / (96 + 32));
  double largest = 0;
  for (const float value : layer.in_proj_weight.to_vector<float>())
    largest = std::max(largest, std::abs(static_cast<double>(value)));
  EXPECT_LE(largest, bound);
  EXPECT_GT(largest, 0.95 * bound);
  EXPECT_THAT(layer.in_proj_bias.to_vector<float>(), testing::Each(0));
  EXPECT_THAT(layer.out_proj.bias.to_vector<float>(), testing::Each(0));
}

TEST(MultiheadAttention, ToItselfIsAlsoAttentionToACopy) {
  const NoGrad no_grad;
  const MultiheadAttention layer(12, 3);
  const Tensor x = normal({2, 5, 12});
  // One product or three: sums of 12 products, added in another order.
  EXPECT_LE(difference(layer(x), layer(x, x.detach(), x.detach())), 1e-6);
}

TEST(MultiheadAttention, StepByStepThroughACacheIsTheWhole) {
  const NoGrad no_grad;
  const MultiheadAttention layer(12, 3);
  const Tensor x = normal({2, 9, 12});
  const Tensor whole = layer(x, {.causal = Causal::upper_left});
  KeyValueCache cache(2, 3, 9, 4);
  for (const auto& [start, stop] : {std::pair{0, 4}, {4, 5}, {5, 6}, {6, 9}}) {
    const Tensor part = layer(slice(x, 1, {start, stop}), cache);
    EXPECT_LE(difference(part, slice(whole, 1, {start, stop})), 1e-6) << start;
  }
  EXPECT_EQ(cache.length(), 9);
  try {
    layer(slice(x, 1, {0, 1}), cache);
    ADD_FAILURE();
  } catch (const ValueError& error) {
    EXPECT_THAT(error.what(), HasSubstr("9 steps and 1 more exceed its capacity of 9"));
  }
  cache.truncate(6);
  EXPECT_LE(difference(layer(slice(x, 1, {6, 9}), cache), slice(whole, 1, {6, 9})), 1e-6);
  EXPECT_THROW(cache.truncate(10), ValueError);
  EXPECT_THROW(cache.append(zeros({2, 2, 1, 4}), zeros({2, 3, 1, 4})), ShapeError);
}

TEST(MultiheadAttention, RefusesWhatDoesNotFit) {
  EXPECT_THROW(MultiheadAttention(10, 3), ValueError);
  const MultiheadAttention layer(12, 3);
  const Tensor x = zeros({2, 5, 12});
  try {
    layer(x, zeros({2, 5, 8}), x);
    ADD_FAILURE();
  } catch (const ShapeError& error) {
    EXPECT_THAT(error.what(), testing::AllOf(HasSubstr("the key is f32[2, 5, 8]"), HasSubstr("[N, T, 12]")));
  }
}

TEST(Transformer, NamesAreThoseOfPyTorch) {
  TransformerEncoderLayer encoder(8, 2, {.feedforward = 16});
  TransformerDecoderLayer decoder(8, 2, {.feedforward = 16});
  const auto names = [](auto& layer) {
    std::string text;
    for (const auto& [name, tensor] : named_parameters(layer)) text += name + " ";
    return text;
  };
  const std::string own =
      "self_attn.in_proj_weight self_attn.in_proj_bias self_attn.out_proj.weight self_attn.out_proj.bias ";
  const std::string across =
      "multihead_attn.in_proj_weight multihead_attn.in_proj_bias multihead_attn.out_proj.weight "
      "multihead_attn.out_proj.bias ";
  const std::string linears = "linear1.weight linear1.bias linear2.weight linear2.bias ";
  const std::string norms = "norm1.weight norm1.bias norm2.weight norm2.bias ";
  EXPECT_EQ(names(encoder), own + linears + norms);
  EXPECT_EQ(names(decoder), own + across + linears + norms + "norm3.weight norm3.bias ");
}

TEST(Transformer, DropoutIsSilentInEvaluation) {
  const NoGrad no_grad;
  TransformerEncoderLayer layer(8, 2, {.feedforward = 16, .dropout = 0.5});
  const Tensor x = normal({2, 3, 8});
  EXPECT_GT(difference(layer(x), layer(x)), 0);
  eval(layer);
  EXPECT_EQ(difference(layer(x), layer(x)), 0);
}

}  // namespace
}  // namespace espalier::nn
