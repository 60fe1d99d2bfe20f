#include "ops/avg_pool2d.h"

#include "tests/ops/images.h"
#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

OpSample avg_pool2d_sample(std::string label, const Shape& x, Size2d kernel,
                           const AvgPool2dOptions& options = {}) {
  return {std::move(label),
          {{x}},
          [=](Inputs in) { return Tensors{avg_pool2d(in[0], kernel, options)}; },
          [=](const Arrays& in) {
            const Shape& image = in[0].shape;
            const Size2d stride = options.stride.value_or(kernel);
            const Shape shape = slid_over(image, image[1], kernel, stride, options.padding, 1);
            Array y(shape), elements(shape);
            for_each_tap(shape, kernel, stride, options.padding, 1,
                         [&](const Dims& i, int64_t row, int64_t column, int64_t, int64_t) {
                           const bool real = inside(image, row, column);
                           if (real) y.at(i) += in[0].at({i[0], i[1], row, column});
                           elements.at(i) += real || options.count_include_pad;
                         });
            for (int64_t i = 0; i < count(shape); ++i) y[i] /= elements[i];
            return Arrays{y};
          }};
}

}  // namespace

OpTest avg_pool2d_test() {
  const Tensor x = zeros({2, 3, 4, 4});
  return {
      .name = "avg_pool2d",
      .covers = {"avg_pool2d_backward"},
      .samples = in_both_layouts({
          avg_pool2d_sample("halves", {2, 3, 4, 6}, 2),
          avg_pool2d_sample("overlapping, padded", {2, 5, 7, 6}, 3, {.stride = 2, .padding = 1}),
          avg_pool2d_sample("padding not counted", {2, 3, 5, 5}, 3,
                            {.stride = 2, .padding = 1, .count_include_pad = false}),
          avg_pool2d_sample("kernel 3x2", {1, 4, 5, 5}, {3, 2},
                            {.stride = Size2d(1, 2), .padding = Size2d(1, 0)}),
          avg_pool2d_sample("more channels than a vector", {2, 37, 4, 4}, 2),
          avg_pool2d_sample("more channels than a part", {1, 70, 2, 4}, 2),
          avg_pool2d_sample("whole image", {2, 3, 4, 4}, 4),
          avg_pool2d_sample("no images", {0, 3, 4, 4}, 2),
          avg_pool2d_sample("no channels", {2, 0, 4, 4}, 2),
      }),
      .errors =
          {
              {"rank",
               [] { avg_pool2d(zeros({3, 4, 4}), 2); },
               "ShapeError",
               {"avg_pool2d", "[3, 4, 4]", "N, C, H, W"}},
              {"undefined", [] { avg_pool2d(Tensor(), 2); }, "ValueError", {"avg_pool2d", "undefined"}},
              {"kernel too large",
               [x] { avg_pool2d(x, 5); },
               "ShapeError",
               {"avg_pool2d", "5x5", "4x4", "[2, 3, 4, 4]"}},
              {"stride",
               [x] { avg_pool2d(x, 2, {.stride = 0}); },
               "ValueError",
               {"avg_pool2d", "stride", "0x0"}},
              {"padding",
               [x] { avg_pool2d(x, 3, {.padding = 2}); },
               "ValueError",
               {"avg_pool2d", "padding", "half"}},
              {"negative padding",
               [x] { avg_pool2d(x, 3, {.padding = -1}); },
               "ValueError",
               {"avg_pool2d", "padding"}},
              {"gradient of another shape",
               [x] { apply_one(AvgPool2dBackward(4, AvgPool2d(2)), x); },
               "ShapeError",
               {"avg_pool2d_backward", "[2, 3, 4, 4]", "[2, 3, 2, 2]"}},
          },
      .tolerance = 8,  // a window's sum of up to 16 elements
      .benchmarks = {channels_last_sample(avg_pool2d_sample("32x64x32x32", {32, 64, 32, 32}, 2))},
  };
}

}  // namespace espalier::test
