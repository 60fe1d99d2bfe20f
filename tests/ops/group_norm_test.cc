#include "ops/group_norm.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/ops/images.h"
#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

constexpr double kGroupNormEpsilon = 1e-3;

Array group_norm_reference(const Array& x, int64_t groups, const Array& weight, const Array& bias) {
  Array y(x.shape);
  const int64_t channels = x.shape[1], members = channels / groups;
  const int64_t size = count(x.shape) / std::max<int64_t>(x.shape[0] * channels, 1), n = members * size;
  for (int64_t group = 0; n > 0 && group < x.shape[0] * groups; ++group) {
    double mean = 0, variance = 0;
    for (int64_t i = 0; i < n; ++i) mean += x[group * n + i] / static_cast<double>(n);
    for (int64_t i = 0; i < n; ++i) variance += std::pow(x[group * n + i] - mean, 2) / static_cast<double>(n);
    for (int64_t i = 0; i < n; ++i) {
      const int64_t channel = group % groups * members + i / size;
      const double value = (x[group * n + i] - mean) / std::sqrt(variance + kGroupNormEpsilon);
      y[group * n + i] =
          value * (weight.shape.empty() ? 1 : weight[channel]) + (bias.shape.empty() ? 0 : bias[channel]);
    }
  }
  return y;
}

OpSample group_norm_sample(std::string label, const Shape& x, int64_t groups, bool weighted = true,
                           bool biased = true) {
  const Shape channels = {x[1]};
  return {std::move(label),
          {{x}, {.shape = channels, .absent = !weighted}, {.shape = channels, .absent = !biased}},
          [=](Inputs in) { return Tensors{group_norm(in[0], groups, in[1], in[2], kGroupNormEpsilon)}; },
          [=](const Arrays& in) { return Arrays{group_norm_reference(in[0], groups, in[1], in[2])}; }};
}

}  // namespace

OpTest group_norm_test() {
  const Tensor x = zeros({2, 6, 3});
  return {
      .name = "group_norm",
      .covers = {"group_norm_backward"},
      .samples = in_both_layouts({
          group_norm_sample("two groups", {2, 4, 3, 2}, 2),
          group_norm_sample("one group", {2, 3, 2, 2}, 1),
          group_norm_sample("a group for each channel", {2, 3, 2, 3}, 3),
          group_norm_sample("weight only", {2, 4, 2, 2}, 2, true, false),
          group_norm_sample("bias only", {2, 4, 2, 2}, 2, false, true),
          group_norm_sample("neither", {2, 4, 2, 2}, 2, false, false),
          group_norm_sample("one pixel", {3, 6, 1, 1}, 2),
          group_norm_sample("one channel", {2, 1, 3, 3}, 1),
          group_norm_sample("no images", {0, 4, 2, 2}, 2),
          group_norm_sample("no pixels", {2, 4, 0, 2}, 2),
          group_norm_sample("no channels", {2, 0, 2, 2}, 2),
          group_norm_sample("many images", {9, 2, 2, 1}, 1),
          group_norm_sample("vectors", {3, 8}, 2),
          group_norm_sample("signals", {2, 4, 21}, 2),
          group_norm_sample("volumes", {2, 4, 2, 3, 2}, 2),
      }),
      .errors =
          {
              {"groups that do not divide",
               [x] { group_norm(x, 4); },
               "ShapeError",
               {"group_norm", "f32[2, 6, 3]", "4 groups", "6 channels"}},
              {"no groups", [x] { group_norm(x, 0); }, "ValueError", {"group_norm", "groups is 0"}},
              {"one axis",
               [] { group_norm(zeros({4}), 2); },
               "ShapeError",
               {"group_norm", "f32[4]", "at least 2"}},
              {"a weight of another size",
               [x] { group_norm(x, 2, zeros({3})); },
               "ShapeError",
               {"group_norm", "f32[2, 6, 3]", "f32[3]", "[6]"}},
              {"two types",
               [x] { group_norm(x, 2, zeros({6}, Dtype::f64)); },
               "TypeError",
               {"group_norm", "f32[2, 6, 3]", "f64[6]"}},
              {"a negative epsilon",
               [x] { group_norm(x, 2, {}, {}, -1); },
               "ValueError",
               {"group_norm", "-1"}},
              {"no x", [] { group_norm({}, 3); }, "ValueError", {"group_norm", "undefined"}},
              {"a gradient of another shape",
               [x] {
                 apply(GroupNormBackward(true, true, true),
                       {zeros({2, 4}), x, {}, zeros({2, 2}), zeros({2, 2})});
               },
               "ShapeError",
               {"group_norm_backward", "f32[2, 4]", "f32[2, 6, 3]"}},
              {"instances of vectors",
               [] { instance_norm(zeros({2, 3})); },
               "ShapeError",
               {"instance_norm", "f32[2, 3]"}},
          },
      // The sums of up to 42 elements, and values of up to 4 after weight and bias.
      .tolerance = 16,
      .benchmarks = {group_norm_sample("8x64x32x32, 8 groups", {8, 64, 32, 32}, 8),
                     channels_last_sample(group_norm_sample("8x64x32x32, 8 groups", {8, 64, 32, 32}, 8)),
                     group_norm_sample("1x320x64x64, 32 groups", {1, 320, 64, 64}, 32),
                     channels_last_sample(group_norm_sample("1x320x64x64, 32 groups", {1, 320, 64, 64}, 32)),
                     group_norm_sample("32x512x7x7, 32 groups", {32, 512, 7, 7}, 32)},
  };
}

namespace {

TEST(GroupNorm, DoesNotCancelFarFromZero) {
  // Deviations of 1 around 4096: the mean of squares minus the square of the mean would lose them in f32.
  for (const bool last : {false, true}) {
    Tensor x = empty({1, 2, 64, 64});
    for (int64_t i = 0; i < x.numel(); ++i) x.mutable_data<float>()[i] = i % 2 == 0 ? 4097.0F : 4095.0F;
    const Tensor y = group_norm(last ? channels_last(x) : x, 1);
    EXPECT_NEAR(y.to_vector<float>()[0], 1, 1e-4);
    EXPECT_NEAR(y.to_vector<float>()[8191], -1, 1e-4);
    EXPECT_EQ(y.strides()[1] == 1, last);
  }
}

TEST(InstanceNorm, HasAGroupForEachChannel) {
  const Tensor x = from_values<float>({1, 3, -10, 10}, {1, 2, 2});
  EXPECT_THAT(instance_norm(x).to_vector<float>(),
              testing::Pointwise(testing::FloatNear(1e-4F), {-1, 1, -1, 1}));
  EXPECT_EQ(to_string(instance_norm(zeros({2, 0, 3})).shape()), "[2, 0, 3]");
}

}  // namespace
}  // namespace espalier::test
