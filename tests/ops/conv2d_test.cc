#include "ops/conv2d.h"

#include "tests/ops/images.h"
#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

OpSample conv2d_sample(std::string label, const Shape& x, const Shape& weight, bool bias,
                       const Conv2dOptions& options = {}) {
  return {std::move(label),
          {{x}, {weight}, {.shape = {weight[0]}, .absent = !bias}},
          [=](Inputs in) { return Tensors{conv2d(in[0], in[1], in[2], options)}; },
          [=](const Arrays& in) {
            Array y(slid_over(x, weight[0], {weight[2], weight[3]}, options.stride, options.padding,
                              options.dilation));
            if (bias) for_each_index(y.shape, [&](const Dims& i) { y.at(i) = in[2][i[1]]; });
            for_each_convolved(x, weight, options, [&](const Dims& i, const Dims& from, const Dims& by) {
              y.at(i) += in[0].at(from) * in[1].at(by);
            });
            return Arrays{y};
          }};
}

/// The backward operations on their own: all gradients of the sum of y * gradient.
OpSample conv2d_backward_sample(std::string label, const Shape& x, const Shape& weight,
                                const Conv2dOptions& options = {}) {
  const Size2d kernel(weight[2], weight[3]);
  const Shape y = slid_over(x, weight[0], kernel, options.stride, options.padding, options.dilation);
  return {std::move(label),
          {{x}, {weight}, {y}},
          [=](Inputs in) {
            const Tensor dx = apply_one(Conv2dBackwardData(options, {x[2], x[3]}), in[2], in[1]);
            const Tensors dw = apply(Conv2dBackwardWeights(options, kernel, true), {in[0], in[2]});
            const Tensor alone = apply_one(Conv2dBackwardWeights(options, kernel, false), in[0], in[2]);
            return Tensors{dx, dw[0], dw[1], alone};
          },
          [=](const Arrays& in) {
            Array dx(x), dw(weight), db({weight[0]});
            for_each_convolved(x, weight, options, [&](const Dims& i, const Dims& from, const Dims& by) {
              dx.at(from) += in[2].at(i) * in[1].at(by);
              dw.at(by) += in[2].at(i) * in[0].at(from);
            });
            for_each_index(y, [&](const Dims& i) { db[i[1]] += in[2].at(i); });
            return Arrays{dx, dw, db, dw};
          }};
}

}  // namespace

OpTest conv2d_test() {
  const Tensor x = zeros({2, 4, 5, 6}), weight = zeros({6, 4, 3, 3});
  return {
      .name = "conv2d",
      .covers = {"conv2d_backward_weights"},
      .samples = in_both_layouts({
          conv2d_sample("3x3", {2, 3, 5, 6}, {4, 3, 3, 3}, true, {.padding = 1}),
          conv2d_sample("1x1", {2, 5, 3, 4}, {3, 5, 1, 1}, false),
          conv2d_sample("stride 2", {1, 2, 7, 6}, {3, 2, 3, 3}, true, {.stride = 2, .padding = 1}),
          conv2d_sample("what a stride leaves over", {1, 2, 6, 8}, {2, 2, 3, 3}, false,
                        {.stride = Size2d(2, 3)}),
          conv2d_sample("dilation", {1, 2, 7, 8}, {2, 2, 3, 2}, true,
                        {.padding = 2, .dilation = Size2d(2, 3)}),
          conv2d_sample("unequal sides", {2, 2, 4, 6}, {3, 2, 1, 3}, true, {.padding = Size2d(0, 1)}),
          conv2d_sample("groups", {2, 4, 4, 5}, {6, 2, 3, 3}, true, {.padding = 1, .groups = 2}),
          conv2d_sample("depthwise", {1, 3, 5, 4}, {3, 1, 3, 3}, false,
                        {.stride = 2, .padding = 1, .groups = 3}),
          conv2d_sample("depthwise, stride 1", {2, 19, 5, 10}, {19, 1, 3, 3}, true,
                        {.padding = 1, .groups = 19}),
          conv2d_sample("blocks of 16 channels", {1, 16, 3, 3}, {16, 16, 3, 3}, true, {.padding = 1}),
          conv2d_sample("one channel", {2, 1, 4, 4}, {1, 1, 2, 2}, true),
          conv2d_sample("one pixel", {2, 3, 1, 1}, {4, 3, 1, 1}, true),
          conv2d_sample("no images", {0, 2, 4, 4}, {3, 2, 3, 3}, true),
          conv2d_sample("no output channels", {2, 2, 4, 4}, {0, 2, 3, 3}, true),
          conv2d_sample("no input channels", {2, 0, 4, 4}, {3, 0, 3, 3}, true),
          conv2d_backward_sample("gradients", {2, 3, 5, 6}, {4, 3, 3, 3}, {.padding = 1}),
          conv2d_backward_sample("gradients, stride and groups", {2, 4, 6, 5}, {6, 2, 3, 2},
                                 {.stride = 2, .padding = 1, .groups = 2}),
          conv2d_backward_sample("gradients, depthwise", {2, 19, 5, 10}, {19, 1, 5, 3},
                                 {.padding = Size2d(2, 1), .groups = 19}),
          conv2d_backward_sample("gradients of no images", {0, 2, 4, 4}, {3, 2, 3, 3}),
      }),
      .errors =
          {
              {"rank of x",
               [weight] { conv2d(zeros({4, 5, 6}), weight); },
               "ShapeError",
               {"conv2d", "[4, 5, 6]", "[6, 4, 3, 3]", "N, C, H, W"}},
              {"rank of the weight",
               [x] { conv2d(x, zeros({6, 4, 3})); },
               "ShapeError",
               {"conv2d", "[2, 4, 5, 6]", "[6, 4, 3]", "weight"}},
              {"channels",
               [x] { conv2d(x, zeros({6, 3, 3, 3})); },
               "ShapeError",
               {"conv2d", "[2, 4, 5, 6]", "[6, 3, 3, 3]", "axis 1", "is 3", "expected 4"}},
              {"channels of groups",
               [x, weight] { conv2d(x, weight, {}, {.groups = 2}); },
               "ShapeError",
               {"conv2d", "is 4", "expected 2", "groups 2"}},
              {"groups and inputs",
               [x] { conv2d(x, zeros({6, 1, 3, 3}), {}, {.groups = 3}); },
               "ShapeError",
               {"conv2d", "3 groups", "4 input", "6 output"}},
              {"groups and outputs",
               [x] { conv2d(x, zeros({6, 1, 3, 3}), {}, {.groups = 4}); },
               "ShapeError",
               {"conv2d", "4 groups", "4 input", "6 output"}},
              {"bias",
               [x, weight] { conv2d(x, weight, zeros({4})); },
               "ShapeError",
               {"conv2d", "bias", "[4]", "expected [6]", "[2, 4, 5, 6]", "[6, 4, 3, 3]"}},
              {"kernel too large",
               [x, weight] { conv2d(x, weight, {}, {.dilation = 3}); },
               "ShapeError",
               {"conv2d", "3x3", "5x6", "[2, 4, 5, 6]", "[6, 4, 3, 3]"}},
              {"empty kernel",
               [x] { conv2d(x, zeros({6, 4, 0, 3})); },
               "ShapeError",
               {"conv2d", "[6, 4, 0, 3]", "empty"}},
              {"types",
               [x] { conv2d(x, zeros({6, 4, 3, 3}, Dtype::f64)); },
               "TypeError",
               {"conv2d", "f32[2, 4, 5, 6]", "f64[6, 4, 3, 3]"}},
              {"undefined",
               [x] { conv2d(x, Tensor()); },
               "ValueError",
               {"conv2d", "undefined", "f32[2, 4, 5, 6]"}},
              {"stride",
               [x, weight] { conv2d(x, weight, {}, {.stride = Size2d(1, 0)}); },
               "ValueError",
               {"conv2d", "stride", "1x0"}},
              {"padding",
               [x, weight] { conv2d(x, weight, {}, {.padding = -1}); },
               "ValueError",
               {"conv2d", "padding"}},
              {"dilation",
               [x, weight] { conv2d(x, weight, {}, {.dilation = 0}); },
               "ValueError",
               {"conv2d", "dilation"}},
              {"groups",
               [x, weight] { conv2d(x, weight, {}, {.groups = 0}); },
               "ValueError",
               {"conv2d", "groups"}},
              {"gradient of another shape",
               [x, weight] { apply_one(Conv2dBackwardData({}, {5, 6}), zeros({2, 6, 5, 6}), weight); },
               "ShapeError",
               {"conv2d_backward_data", "[2, 6, 5, 6]", "[2, 6, 3, 4]"}},
              {"gradient of another batch",
               [x] { apply_one(Conv2dBackwardWeights({}, 3, false), x, zeros({3, 6, 3, 4})); },
               "ShapeError",
               {"conv2d_backward_weights", "[3, 6, 3, 4]", "[2, 6, 3, 4]"}},
          },
      // Sums of up to 144 products of size 4 grow to some 50; each addition rounds once.
      .tolerance = 64,
      .benchmarks = {channels_last_sample(
          conv2d_sample("128x16x32x32 3x3", {128, 16, 32, 32}, {16, 16, 3, 3}, false, {.padding = 1}))},
  };
}

}  // namespace espalier::test
