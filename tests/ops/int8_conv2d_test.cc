#include "ops/int8_conv2d.h"

#include <utility>

#include "tests/ops/images.h"
#include "tests/ops/int8_samples.h"

namespace espalier::test {
namespace {

constexpr Int8Options kConvToBytes{
    .input = {0.02, 120}, .output_dtype = Dtype::u8, .output = {0.5, 90}, .residual = {0.25, 130}};
constexpr Int8Options kConvToBytesRelu{
    .input = {0.02, 0}, .output_dtype = Dtype::u8, .output = {0.4, 0}, .residual = {0.1, 10}, .relu = true};
constexpr Int8Options kConvToFloats{.input = {0.02, 7}, .residual = {0.25, 130}, .relu = true};

OpSample int8_conv2d_sample(std::string label, const Shape& x, const Shape& weight, bool bias, bool residual,
                            const Conv2dOptions& conv, const Int8Options& product = kConvToBytes) {
  const Shape y = slid_over(x, weight[0], {weight[2], weight[3]}, conv.stride, conv.padding, conv.dilation);
  const Int8Conv2dOptions options{conv, product};
  return {std::move(label),
          {{x, 0, 256},
           {weight, -128, 128, Dtype::i8},
           {{weight[0]}, 0.001, 0.1, Dtype::f32},
           {.shape = {weight[0]}, .low = -9, .high = 9, .dtype = Dtype::f32, .absent = !bias},
           {.shape = y, .low = 0, .high = 256, .absent = !residual}},
          [=](Inputs in) { return Tensors{int8_conv2d(in[0], in[1], in[2], in[3], in[4], options)}; },
          [=](const Arrays& in) {
            Array sums(y), result(y);
            for_each_convolved(x, weight, conv, [&](const Dims& i, const Dims& from, const Dims& by) {
              sums.at(i) += (in[0].at(from) - static_cast<double>(product.input.zero_point)) * in[1].at(by);
            });
            for_each_index(y, [&](const Dims& i) {
              const double r = residual ? in[4].at(i) : 0;
              result.at(i) = int8_result(product, sums.at(i), in[2][i[1]], bias ? in[3][i[1]] : 0,
                                         residual ? &r : nullptr);
            });
            return Arrays{result};
          }};
}

}  // namespace

OpTest int8_conv2d_test() {
  const Tensor x = zeros({2, 4, 5, 6}, Dtype::u8), weight = zeros({6, 4, 3, 3}, Dtype::i8);
  const Tensor scales = ones({6});
  const Conv2dOptions same{.padding = 1};
  return {
      .name = "int8_conv2d",
      .samples = in_both_layouts({
          int8_conv2d_sample("three channels", {2, 3, 7, 9}, {16, 3, 3, 3}, true, false, same,
                             kConvToBytesRelu),
          int8_conv2d_sample("residual", {1, 16, 6, 5}, {16, 16, 3, 3}, true, true, same, kConvToBytesRelu),
          int8_conv2d_sample("no bias", {2, 5, 3, 4}, {35, 5, 1, 1}, false, true, {}),
          int8_conv2d_sample("one pixel to one", {1, 8, 1, 1}, {70, 8, 1, 1}, true, false, {}),
          int8_conv2d_sample("one by one", {2, 8, 5, 3}, {50, 8, 1, 1}, true, false, {}),
          int8_conv2d_sample("no padding", {1, 12, 9, 8}, {33, 12, 3, 2}, true, false, {}),
          int8_conv2d_sample("to f32", {2, 6, 8, 5}, {64, 6, 3, 3}, true, true, same, kConvToFloats),
          int8_conv2d_sample("stride 2", {2, 4, 9, 8}, {80, 4, 3, 3}, true, false,
                             {.stride = 2, .padding = 1}),
          int8_conv2d_sample("stride 2 of one by one", {1, 4, 6, 6}, {20, 4, 1, 1}, true, false,
                             {.stride = 2}),
          int8_conv2d_sample("stride past the end", {1, 4, 8, 9}, {3, 4, 2, 2}, true, false, {.stride = 3}),
          int8_conv2d_sample("dilation", {1, 4, 9, 10}, {3, 4, 3, 2}, true, false,
                             {.padding = {2, 1}, .dilation = {2, 3}}),
          int8_conv2d_sample("padding wider than the image", {1, 4, 2, 1}, {5, 4, 3, 3}, true, false,
                             {.stride = {1, 5}, .padding = {3, 6}}),
          int8_conv2d_sample("groups", {2, 4, 4, 5}, {6, 2, 3, 3}, true, true, {.padding = 1, .groups = 2}),
          int8_conv2d_sample("no images", {0, 2, 4, 4}, {3, 2, 3, 3}, true, false, same),
          int8_conv2d_sample("no channels", {1, 0, 4, 4}, {3, 0, 3, 3}, true, false, same),
      }),
      .errors =
          {
              {"channels",
               [=] { int8_conv2d(x, zeros({6, 3, 3, 3}, Dtype::i8), scales, {}, {}, {}); },
               "ShapeError",
               {"int8_conv2d", "[2, 4, 5, 6]", "[6, 3, 3, 3]", "axis 1", "is 3", "expected 4"}},
              {"weight of another rank",
               [=] { int8_conv2d(x, zeros({6, 4}, Dtype::i8), scales, {}, {}, {}); },
               "ShapeError",
               {"int8_conv2d", "2 axes"}},
              {"scales of another size",
               [=] { int8_conv2d(x, weight, ones({4}), {}, {}, {}); },
               "ShapeError",
               {"int8_conv2d", "the scales", "f32[4]", "[6]"}},
              {"residual of another shape",
               [=] { int8_conv2d(x, weight, scales, {}, zeros({2, 6, 5, 6}, Dtype::u8), {}); },
               "ShapeError",
               {"int8_conv2d", "[2, 6, 5, 6]", "[2, 6, 3, 4]"}},
              {"padding beyond all memory",
               [] {
                 int8_conv2d(zeros({1, 4, 1, 1}, Dtype::u8), zeros({1, 4, 1, 1}, Dtype::i8), ones({1}), {},
                             {}, {.conv = {.stride = 1 << 30, .padding = 2147483647}});
               },
               "ShapeError",
               {"int8_conv2d"}},
              {"residual's zero point",
               [=] {
                 int8_conv2d(x, weight, scales, {}, zeros({2, 6, 3, 4}, Dtype::u8),
                             {.product = {.residual = {1, 300}}});
               },
               "ValueError",
               {"int8_conv2d", "zero point is 300"}},
          },
      .dtypes = {Dtype::u8},
      .tolerance = 0,  // defined to the bit
      .differentiable = false,
      .twice_differentiable = false,
      .benchmarks =
          {
              channels_last_sample(int8_conv2d_sample("1x16x32x32 3x3", {1, 16, 32, 32}, {16, 16, 3, 3}, true,
                                                      true, same, kConvToBytesRelu)),
              channels_last_sample(int8_conv2d_sample("1x64x32x32 to 128, 3x3", {1, 64, 32, 32},
                                                      {128, 64, 3, 3}, true, false, same, kConvToBytesRelu)),
          },
  };
}

}  // namespace espalier::test
