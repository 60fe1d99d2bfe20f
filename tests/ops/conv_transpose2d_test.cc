#include "ops/conv_transpose2d.h"

#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "autograd/gradient_check.h"
#include "ops/conv1d.h"
#include "tests/ops/images.h"
#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

int64_t grown(int64_t size, int64_t taps, int64_t stride, int64_t padding, int64_t dilation, int64_t added) {
  return (size - 1) * stride - 2 * padding + dilation * (taps - 1) + added + 1;
}

OpSample conv_transpose2d_sample(std::string label, const Shape& x, const Shape& weight, bool bias,
                                 const ConvTranspose2dOptions& o = {}) {
  const int64_t channels = weight[1] * o.groups;
  const Shape y = {
      x[0], channels,
      grown(x[2], weight[2], o.stride.height, o.padding.height, o.dilation.height, o.output_padding.height),
      grown(x[3], weight[3], o.stride.width, o.padding.width, o.dilation.width, o.output_padding.width)};
  return {std::move(label),
          {{x}, {weight}, {.shape = {channels}, .absent = !bias}},
          [=](Inputs in) { return Tensors{conv_transpose2d(in[0], in[1], in[2], o)}; },
          [=](const Arrays& in) {
            Array result(y);
            if (bias) for_each_index(y, [&](const Dims& i) { result.at(i) = in[2][i[1]]; });
            const int64_t members = x[1] / o.groups;
            for_each_index(x, [&](const Dims& i) {
              for_each_index({weight[1], weight[2], weight[3]}, [&](const Dims& k) {
                const int64_t row = i[2] * o.stride.height - o.padding.height + k[1] * o.dilation.height;
                const int64_t column = i[3] * o.stride.width - o.padding.width + k[2] * o.dilation.width;
                if (!inside(y, row, column)) return;
                result.at({i[0], i[1] / members * weight[1] + k[0], row, column}) +=
                    in[0].at(i) * in[1].at({i[1], k[0], k[1], k[2]});
              });
            });
            return Arrays{result};
          }};
}

}  // namespace

OpTest conv_transpose2d_test() {
  const Tensor x = zeros({2, 4, 5, 6}), weight = zeros({4, 3, 3, 3});
  return {
      .name = "conv2d_backward_data",
      .samples = in_both_layouts({
          conv_transpose2d_sample("3x3", {2, 3, 4, 3}, {3, 4, 3, 3}, true),
          conv_transpose2d_sample("stride and padding", {2, 3, 3, 4}, {3, 2, 4, 4}, true,
                                  {.stride = 2, .padding = 1}),
          conv_transpose2d_sample("output padding", {1, 2, 3, 4}, {2, 2, 3, 3}, false,
                                  {.stride = Size2d(2, 3), .padding = 1, .output_padding = Size2d(1, 2)}),
          conv_transpose2d_sample("output padding by the dilation", {1, 2, 3, 2}, {2, 2, 2, 2}, true,
                                  {.stride = Size2d(1, 2),
                                   .padding = 1,
                                   .output_padding = Size2d(2, 3),
                                   .dilation = Size2d(3, 4)}),
          conv_transpose2d_sample("dilation", {1, 2, 4, 3}, {2, 3, 2, 3}, true, {.dilation = Size2d(2, 1)}),
          conv_transpose2d_sample("groups", {2, 4, 3, 3}, {4, 3, 2, 2}, true, {.stride = 2, .groups = 2}),
          conv_transpose2d_sample("one pixel", {2, 3, 1, 1}, {3, 2, 2, 2}, false, {.stride = 2}),
          conv_transpose2d_sample("no images", {0, 3, 2, 2}, {3, 2, 2, 2}, true),
          conv_transpose2d_sample("no input channels", {2, 0, 2, 2}, {0, 2, 2, 2}, true),
      }),
      .errors =
          {
              {"rank of x",
               [weight] { conv_transpose2d(zeros({4, 5, 6}), weight); },
               "ShapeError",
               {"conv_transpose2d", "f32[4, 5, 6]", "N, C, H, W"}},
              {"rank of the weight",
               [x] { conv_transpose2d(x, zeros({4, 3, 3})); },
               "ShapeError",
               {"conv_transpose2d", "weight", "f32[4, 3, 3]"}},
              {"channels",
               [x] { conv_transpose2d(x, zeros({3, 4, 3, 3})); },
               "ShapeError",
               {"conv_transpose2d", "f32[2, 4, 5, 6]", "f32[3, 4, 3, 3]", "axis 0 of the weight"}},
              {"groups that do not divide",
               [x, weight] { conv_transpose2d(x, weight, {}, {.groups = 3}); },
               "ShapeError",
               {"conv_transpose2d", "3 groups"}},
              {"no groups",
               [x, weight] { conv_transpose2d(x, weight, {}, {.groups = 0}); },
               "ValueError",
               {"conv_transpose2d", "groups is 0"}},
              {"bias",
               [x, weight] { conv_transpose2d(x, weight, zeros({4})); },
               "ShapeError",
               {"conv_transpose2d", "f32[4]", "expected [3]"}},
              {"empty kernel",
               [x] { conv_transpose2d(x, zeros({4, 3, 0, 3})); },
               "ShapeError",
               {"conv_transpose2d", "f32[4, 3, 0, 3]", "empty"}},
              {"output padding",
               [x, weight] {
                 conv_transpose2d(x, weight, {}, {.stride = 2, .output_padding = Size2d(0, 2)});
               },
               "ValueError",
               {"conv_transpose2d", "output_padding is 0x2", "2x2", "1x1"}},
              {"stride",
               [x, weight] { conv_transpose2d(x, weight, {}, {.stride = 0}); },
               "ValueError",
               {"conv_transpose2d", "stride"}},
              {"nothing left",
               [x, weight] { conv_transpose2d(x, weight, {}, {.padding = 4}); },
               "ShapeError",
               {"conv_transpose2d", "-1x0", "f32[2, 4, 5, 6]"}},
              {"sizes that overflow",
               [] {
                 const Tensor tall = empty({1, 1, int64_t{1} << 40, 1}, Dtype::f32, kMeta);
                 conv_transpose2d(tall, empty({1, 1, 1, 1}, Dtype::f32, kMeta), {}, {.stride = 1 << 30});
               },
               "ShapeError",
               {"conv_transpose2d", "2147483647"}},
              {"types",
               [x] { conv_transpose2d(x, zeros({4, 3, 3, 3}, Dtype::f64)); },
               "TypeError",
               {"conv_transpose2d", "f64[4, 3, 3, 3]"}},
              {"undefined",
               [x] { conv_transpose2d(x, Tensor()); },
               "ValueError",
               {"conv_transpose2d", "undefined"}},
              {"a gradient of another shape",
               [x, weight] { apply_one(Conv2dBackwardData({}, {5, 6}), x, weight); },
               "ShapeError",
               {"conv2d_backward_data", "[2, 4, 5, 6]", "[2, 4, 3, 4]"}},
              {"signals",
               [x, weight] { conv_transpose1d(x, weight); },
               "ShapeError",
               {"conv_transpose1d", "f32[2, 4, 5, 6]", "N, C, L"}},
          },
      // Sums of up to 16 products of size 4; each addition rounds once.
      .tolerance = 64,
      .benchmarks = {conv_transpose2d_sample("8x64x16x16 4x4 stride 2", {8, 64, 16, 16}, {64, 32, 4, 4}, true,
                                             {.stride = 2, .padding = 1}),
                     conv_transpose2d_sample("1x16x64x64 2x2 stride 2", {1, 16, 64, 64}, {16, 8, 2, 2}, true,
                                             {.stride = 2})},
  };
}

namespace {

/// Small integers, so that products add up without rounding.
Tensor conv_transpose2d_numbers(const Shape& shape, int64_t step) {
  Tensor result = empty(shape, Dtype::f64);
  for (int64_t i = 0; i < result.numel(); ++i)
    result.mutable_data<double>()[i] = static_cast<double>(i * step % 7 - 3);
  return result;
}

TEST(Conv1d, IsTheDefiningSum) {
  const Tensor x = conv_transpose2d_numbers({2, 4, 9}, 3), weight = conv_transpose2d_numbers({6, 2, 3}, 5),
               bias = conv_transpose2d_numbers({6}, 1);
  const Tensor y = conv1d(x, weight, bias, {.stride = 2, .padding = 2, .dilation = 3, .groups = 2});
  ASSERT_EQ(to_string(y.shape()), "[2, 6, 4]");
  const std::vector<double> values = y.to_vector<double>(), from = x.to_vector<double>(),
                            by = weight.to_vector<double>(), added = bias.to_vector<double>();
  size_t place = 0;
  for (int64_t n = 0; n < 2; ++n) {
    for (int64_t o = 0; o < 6; ++o) {
      for (int64_t l = 0; l < 4; ++l) {
        double sum = added[static_cast<size_t>(o)];
        for (int64_t c = 0; c < 2; ++c) {
          for (int64_t k = 0; k < 3; ++k) {
            const int64_t at = l * 2 - 2 + k * 3;
            if (at >= 0 && at < 9)
              sum += from[static_cast<size_t>((n * 4 + o / 3 * 2 + c) * 9 + at)] *
                     by[static_cast<size_t>((o * 2 + c) * 3 + k)];
          }
        }
        EXPECT_EQ(values[place++], sum) << n << ", " << o << ", " << l;
      }
    }
  }
}

TEST(Conv1d, HasGradientsAndASignalsTranspose) {
  const std::vector<Tensor> inputs = {requires_grad_(conv_transpose2d_numbers({1, 2, 5}, 3)),
                                      requires_grad_(conv_transpose2d_numbers({2, 2, 2}, 5)),
                                      requires_grad_(conv_transpose2d_numbers({2}, 1))};
  for (const bool second_order : {false, true}) {
    const auto f = [](const std::vector<Tensor>& in) {
      const Tensor y = conv1d(in[0], in[1], in[2], {.stride = 2, .padding = 1});
      return std::vector<Tensor>{
          conv_transpose1d(y, in[1], in[2], {.stride = 2, .padding = 1, .output_padding = 1})};
    };
    EXPECT_EQ(check_gradients(f, inputs, {.second_order = second_order}), "");
  }
  // <conv(x), y> = <x, transpose(y)>.
  const Tensor x = conv_transpose2d_numbers({1, 2, 6}, 3), weight = conv_transpose2d_numbers({3, 2, 2}, 5),
               y = conv_transpose2d_numbers({1, 3, 3}, 2);
  const auto dot = [](const Tensor& a, const Tensor& b) {
    double sum = 0;
    const auto left = a.to_vector<double>(), right = b.to_vector<double>();
    for (size_t i = 0; i < left.size(); ++i) sum += left[i] * right[i];
    return sum;
  };
  EXPECT_NE(dot(conv1d(x, weight, {}, {.stride = 2}), y), 0);
  EXPECT_EQ(dot(conv1d(x, weight, {}, {.stride = 2}), y),
            dot(x, conv_transpose1d(y, weight, {}, {.stride = 2})));
}

TEST(Conv1d, RefusesImages) {
  EXPECT_THROW(conv1d(zeros({1, 2, 3, 4}), zeros({1, 2, 3})), ShapeError);
  EXPECT_THROW(conv1d(zeros({1, 2, 3}), Tensor()), ValueError);
}

}  // namespace
}  // namespace espalier::test
