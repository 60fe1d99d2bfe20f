#include "ops/max_pool2d.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ops/copy.h"
#include "tests/ops/images.h"
#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

OpSample max_pool2d_sample(std::string label, const Shape& x, Size2d kernel,
                           const MaxPool2dOptions& options = {}) {
  return {std::move(label),
          {{x}},
          [=](Inputs in) {
            const auto [y, indices] = max_pool2d_with_indices(in[0], kernel, options);
            return Tensors{y, indices};
          },
          [=](const Arrays& in) {
            const Shape& image = in[0].shape;
            const Size2d stride = options.stride.value_or(kernel);
            const Shape shape = slid_over(image, image[1], kernel, stride, options.padding, options.dilation);
            Array y(shape), indices(shape);
            for_each_index(shape, [&](const Dims& i) {
              y.at(i) = -std::numeric_limits<double>::infinity();
              indices.at(i) = -1;
            });
            for_each_tap(shape, kernel, stride, options.padding, options.dilation,
                         [&](const Dims& i, int64_t row, int64_t column, int64_t, int64_t) {
                           if (!inside(image, row, column)) return;
                           const double value = in[0].at({i[0], i[1], row, column});
                           if (indices.at(i) >= 0 && value <= y.at(i)) return;
                           y.at(i) = value;
                           indices.at(i) = static_cast<double>(row * image[3] + column);
                         });
            return Arrays{y, indices};
          }};
}

/// The operations behind the first and the second derivative, on indices that meet and one that is nowhere.
OpSample max_pool2d_backward_sample() {
  return {"backward and take",
          {{{1, 2, 2, 2}}, {{1, 2, 3, 3}}},
          [](Inputs in) {
            const Tensor indices =
                known(from_values<int32_t>({0, 4, 4, 8, 7, -1, 0, 3}, {1, 2, 2, 2}), in[0].device());
            return Tensors{apply_one(MaxPool2dBackward(3), in[0], indices),
                           apply_one(MaxPool2dTake(), in[1], indices)};
          },
          [](const Arrays& in) {
            const int places[2][4] = {{0, 4, 4, 8}, {7, -1, 0, 3}};
            Array spread({1, 2, 3, 3}), taken({1, 2, 2, 2});
            for (int c = 0; c < 2; ++c) {
              for (int i = 0; i < 4; ++i) {
                if (places[c][i] < 0) continue;
                spread[9 * c + places[c][i]] += in[0][4 * c + i];
                taken[4 * c + i] = in[1][9 * c + places[c][i]];
              }
            }
            return Arrays{spread, taken};
          }};
}

/// -inf has no differences to compare a gradient with.
TEST(MaxPool2d, WindowsWithoutAnElement) {
  OpSample past = max_pool2d_sample("dilated past the image", {1, 2, 3, 3}, 2, {.padding = 1, .dilation = 4});
  for (const OpSample& tested : in_both_layouts({past})) {
    const std::vector<Tensor> inputs = make_inputs(tested, Dtype::f32);
    const Tensors pooled = tested.run(inputs);
    EXPECT_EQ(pooled[0].to_vector<float>(), std::vector<float>(2, -std::numeric_limits<float>::infinity()));
    EXPECT_EQ(pooled[1].to_vector<int32_t>(), std::vector<int32_t>(2, -1));
    const Tensor spread = apply_one(MaxPool2dBackward(3), pooled[0], pooled[1]);
    EXPECT_EQ(spread.to_vector<float>(), std::vector<float>(18, 0.0f));
  }
}

TEST(MaxPool2d, NanIsTheLargestAndInfinitiesAreNumbers) {
  const float inf = std::numeric_limits<float>::infinity(), nan = std::nanf("");
  const std::vector<float> one = {-inf, -inf, 1, nan, inf, 2, nan, -1};
  std::vector<float> two = one;
  two.insert(two.end(), one.begin(), one.end());
  for (const Tensor& x : {from_values(two, {1, 2, 4, 2}), channels_last(from_values(two, {1, 2, 4, 2}))}) {
    const auto [y, indices] = max_pool2d_with_indices(x, {1, 2});
    EXPECT_THAT(y.to_vector<float>(),
                testing::Pointwise(testing::NanSensitiveFloatEq(),
                                   std::vector<float>{-inf, nan, inf, nan, -inf, nan, inf, nan}));
    EXPECT_EQ(indices.to_vector<int32_t>(), (std::vector<int32_t>{0, 3, 4, 6, 0, 3, 4, 6}));
  }
}

}  // namespace

OpTest max_pool2d_test() {
  std::vector<OpSample> samples = in_both_layouts({
      max_pool2d_sample("halves", {2, 3, 4, 6}, 2),
      max_pool2d_sample("overlapping, padded", {2, 5, 7, 6}, 3, {.stride = 2, .padding = 1}),
      max_pool2d_sample("kernel 3x2", {1, 4, 5, 5}, {3, 2},
                        {.stride = Size2d(1, 2), .padding = Size2d(1, 0)}),
      max_pool2d_sample("dilated", {1, 2, 7, 8}, 2, {.stride = 1, .dilation = Size2d(3, 2)}),
      max_pool2d_sample("more channels than a vector", {2, 37, 4, 4}, 2),
      max_pool2d_sample("whole image", {2, 3, 4, 4}, 4),
      max_pool2d_sample("no images", {0, 3, 4, 4}, 2),
      max_pool2d_sample("no channels", {2, 0, 4, 4}, 2),
  });
  samples.push_back(max_pool2d_backward_sample());
  const Tensor x = zeros({2, 3, 4, 4});
  return {
      .name = "max_pool2d",
      .covers = {"max_pool2d_backward", "max_pool2d_take"},
      .samples = std::move(samples),
      .errors =
          {
              {"rank",
               [] { max_pool2d(zeros({3, 4, 4}), 2); },
               "ShapeError",
               {"max_pool2d", "[3, 4, 4]", "N, C, H, W"}},
              {"undefined", [] { max_pool2d(Tensor(), 2); }, "ValueError", {"max_pool2d", "undefined"}},
              {"kernel too large",
               [x] { max_pool2d(x, 5, {.padding = 0}); },
               "ShapeError",
               {"max_pool2d", "5x5", "4x4", "[2, 3, 4, 4]"}},
              {"no kernel", [x] { max_pool2d(x, 0); }, "ValueError", {"max_pool2d", "kernel", "0x0"}},
              {"stride",
               [x] { max_pool2d(x, 2, {.stride = Size2d(1, 0)}); },
               "ValueError",
               {"max_pool2d", "stride", "1x0"}},
              {"dilation",
               [x] { max_pool2d(x, 2, {.dilation = -1}); },
               "ValueError",
               {"max_pool2d", "dilation", "-1x-1"}},
              {"padding",
               [x] { max_pool2d(x, 2, {.padding = 2}); },
               "ValueError",
               {"max_pool2d", "padding", "2x2", "half"}},
              {"overflow",
               [x] { max_pool2d(x, 2, {.dilation = int64_t{1} << 62}); },
               "ValueError",
               {"max_pool2d", "dilation"}},
              {"indices of another type",
               [x] { apply_one(MaxPool2dTake(), x, x); },
               "TypeError",
               {"max_pool2d_take", "indices", "i32"}},
              {"indices of another shape",
               [x] { apply_one(MaxPool2dBackward(8), x, zeros({2, 3, 4, 5}, Dtype::i32)); },
               "ShapeError",
               {"max_pool2d_backward", "[2, 3, 4, 4]", "[2, 3, 4, 5]"}},
          },
      .benchmarks = {channels_last_sample(max_pool2d_sample("32x64x32x32", {32, 64, 32, 32}, 2))},
  };
}

}  // namespace espalier::test
