#include "ops/fused_conv2d.h"

#include <algorithm>

#include "tests/ops/images.h"
#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

Tensor own_channels_last(const Tensor& x) {
  return x.defined() ? apply_one(Copy(Copy::Layout::channels_last), x) : x;
}

OpSample fused_conv2d_sample(std::string label, const Shape& x, const Shape& weight, bool bias, bool residual,
                             const FusedConv2dOptions& options) {
  const Conv2dOptions& conv = options.conv;
  const Shape y = slid_over(x, weight[0], {weight[2], weight[3]}, conv.stride, conv.padding, conv.dilation);
  return {std::move(label),
          {{x}, {weight}, {.shape = {weight[0]}, .absent = !bias}, {.shape = y, .absent = !residual}},
          [=](Inputs in) {
            return Tensors{fused_conv2d(in[0], in[1], in[2], own_channels_last(in[3]), options)};
          },
          [=](const Arrays& in) {
            Array result(y);
            for_each_index(y, [&](const Dims& i) {
              result.at(i) = (bias ? in[2][i[1]] : 0) + (residual ? in[3].at(i) : 0);
            });
            for_each_convolved(x, weight, conv, [&](const Dims& i, const Dims& from, const Dims& by) {
              result.at(i) += in[0].at(from) * in[1].at(by);
            });
            for (double& value : result.values) value = options.relu ? std::max(value, 0.0) : value;
            return Arrays{result};
          }};
}

/// The residual is the image itself.
OpSample around_sample(const Shape& x, const FusedConv2dOptions& options) {
  OpSample whole = fused_conv2d_sample("around", x, {x[1], x[1], 3, 3}, true, true, options);
  whole.inputs.pop_back();
  whole.run = [options](Inputs in) {
    const Tensor own = own_channels_last(in[0]);
    return Tensors{fused_conv2d(own, in[1], in[2], own, options)};
  };
  whole.reference = [reference = whole.reference](const Arrays& in) {
    return reference({in[0], in[1], in[2], in[0]});
  };
  return whole;
}

}  // namespace

OpTest fused_conv2d_test() {
  const Tensor x = zeros({2, 4, 5, 6}), weight = zeros({6, 4, 3, 3});
  const FusedConv2dOptions same{.conv = {.padding = 1}, .relu = true};
  return {
      .name = "fused_conv2d",
      .samples = in_both_layouts({
          fused_conv2d_sample("ReLU", {2, 3, 5, 6}, {4, 3, 3, 3}, true, false, same),
          fused_conv2d_sample("residual", {2, 3, 5, 6}, {4, 3, 3, 3}, true, true, {.conv = {.padding = 1}}),
          fused_conv2d_sample("residual and ReLU", {2, 16, 5, 6}, {16, 16, 3, 3}, true, true, same),
          fused_conv2d_sample("no bias", {1, 5, 3, 4}, {3, 5, 1, 1}, false, true, {.relu = true}),
          fused_conv2d_sample("stride 2", {1, 2, 7, 6}, {3, 2, 3, 3}, true, true,
                              {.conv = {.stride = 2, .padding = 1}, .relu = true}),
          fused_conv2d_sample("groups", {2, 4, 4, 5}, {6, 2, 3, 3}, true, false,
                              {.conv = {.padding = 1, .groups = 2}, .relu = true}),
          fused_conv2d_sample("depthwise", {2, 19, 5, 10}, {19, 1, 3, 3}, true, true,
                              {.conv = {.padding = 1, .groups = 19}, .relu = true}),
          around_sample({2, 16, 5, 6}, same),
          fused_conv2d_sample("no images", {0, 2, 4, 4}, {3, 2, 3, 3}, true, false, same),
      }),
      .errors =
          {
              {"channels",
               [x] { fused_conv2d(x, zeros({6, 3, 3, 3})); },
               "ShapeError",
               {"conv2d", "[2, 4, 5, 6]", "[6, 3, 3, 3]", "axis 1", "is 3", "expected 4"}},
              {"residual of another shape",
               [x, weight] { fused_conv2d(x, weight, {}, zeros({2, 6, 5, 6})); },
               "ShapeError",
               {"fused_conv2d", "[2, 6, 5, 6]", "[2, 6, 3, 4]"}},
              {"residual in row-major memory",
               [x, weight] { fused_conv2d(x, weight, {}, zeros({2, 6, 3, 4})); },
               "ShapeError",
               {"fused_conv2d", "[2, 6, 3, 4]", "channels-last"}},
              {"residual of another type",
               [x, weight] { fused_conv2d(x, weight, {}, zeros({2, 6, 3, 4}, Dtype::f64)); },
               "TypeError",
               {"fused_conv2d", "f64[2, 6, 3, 4]", "f32"}},
          },
      // Sums of up to 145 products of size 4, as of conv2d.
      .tolerance = 64,
      .differentiable = false,
      .twice_differentiable = false,
      .benchmarks = {channels_last_sample(fused_conv2d_sample("128x16x32x32 3x3 residual", {128, 16, 32, 32},
                                                              {16, 16, 3, 3}, true, true, same))},
  };
}

}  // namespace espalier::test
