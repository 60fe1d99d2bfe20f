#include "ops/int8_max_pool2d.h"

#include <algorithm>
#include <utility>

#include "tests/ops/images.h"
#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

OpSample int8_max_pool_sample(std::string label, const Shape& x, Size2d kernel,
                              const MaxPool2dOptions& options = {}) {
  const Size2d stride = options.stride.value_or(kernel);
  const Shape y = slid_over(x, x[1], kernel, stride, options.padding, options.dilation);
  return {std::move(label),
          {{x, 0, 256}},
          [=](Inputs in) { return Tensors{int8_max_pool2d(in[0], kernel, options)}; },
          [=](const Arrays& in) {
            Array result(y);
            for_each_tap(y, kernel, stride, options.padding, options.dilation,
                         [&](const Dims& i, int64_t row, int64_t column, int64_t, int64_t) {
                           if (!inside(x, row, column)) return;
                           double& largest = result.at(i);
                           largest = std::max(largest, in[0].at({i[0], i[1], row, column}));
                         });
            return Arrays{result};
          }};
}

}  // namespace

OpTest int8_max_pool2d_test() {
  return {
      .name = "int8_max_pool2d",
      .samples = in_both_layouts({
          int8_max_pool_sample("halves", {2, 3, 4, 6}, 2),
          int8_max_pool_sample("overlapping, padded", {2, 37, 7, 6}, 3, {.stride = 2, .padding = 1}),
          int8_max_pool_sample("dilated", {1, 2, 7, 8}, 2, {.stride = 1, .dilation = Size2d(3, 2)}),
          int8_max_pool_sample("past the image", {1, 2, 1, 1}, 2, {.padding = 1, .dilation = 2}),
          int8_max_pool_sample("no images", {0, 3, 4, 4}, 2),
          int8_max_pool_sample("no channels", {2, 0, 4, 4}, 2),
      }),
      .errors =
          {
              {"rank",
               [] { int8_max_pool2d(zeros({3, 4, 4}, Dtype::u8), 2); },
               "ShapeError",
               {"int8_max_pool2d", "[3, 4, 4]", "N, C, H, W"}},
              {"padding",
               [] { int8_max_pool2d(zeros({1, 3, 4, 4}, Dtype::u8), 2, {.padding = 2}); },
               "ValueError",
               {"int8_max_pool2d", "padding", "2x2", "half"}},
          },
      .dtypes = {Dtype::u8},
      .tolerance = 0,  // nothing is rounded
      .differentiable = false,
      .twice_differentiable = false,
      .benchmarks = {channels_last_sample(int8_max_pool_sample("1x64x32x32", {1, 64, 32, 32}, 2))},
  };
}

}  // namespace espalier::test
