#include "ops/int8_global_avg_pool2d.h"

#include <utility>

#include "tests/ops/images.h"
#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

OpSample int8_pool_sample(std::string label, const Shape& x, const Quantization& input, bool keepdim) {
  return {std::move(label),
          {{x, 0, 256}},
          [=](Inputs in) { return Tensors{int8_global_avg_pool2d(in[0], input, keepdim)}; },
          [=](const Arrays& in) {
            const Shape kept{x[0], x[1], 1, 1};
            Array sums(kept);
            for_each_index(x, [&](const Dims& i) {
              sums.at({i[0], i[1], 0, 0}) += in[0].at(i) - static_cast<double>(input.zero_point);
            });
            Array result(keepdim ? kept : Shape{x[0], x[1]});
            const auto factor = static_cast<float>(input.scale / static_cast<double>(x[2] * x[3]));
            for (int64_t i = 0; i < count(kept); ++i) result[i] = static_cast<float>(sums[i]) * factor;
            return Arrays{result};
          }};
}

}  // namespace

OpTest int8_global_avg_pool2d_test() {
  return {
      .name = "int8_global_avg_pool2d",
      .samples = in_both_layouts({
          int8_pool_sample("few channels", {2, 3, 5, 4}, {0.1, 100}, false),
          int8_pool_sample("more than a line of channels", {2, 150, 3, 4}, {0.1, 0}, true),
          int8_pool_sample("more pixels than a u16 sums up", {1, 65, 20, 30}, {0.03, 255}, false),
          int8_pool_sample("no images", {0, 3, 2, 2}, {0.1, 0}, false),
      }),
      .errors =
          {
              {"no pixels",
               [] { int8_global_avg_pool2d(zeros({1, 2, 0, 3}, Dtype::u8), {}); },
               "ShapeError",
               {"int8_global_avg_pool2d", "[1, 2, 0, 3]", "0 pixels"}},
              {"rank",
               [] { int8_global_avg_pool2d(zeros({1, 2}, Dtype::u8), {}); },
               "ShapeError",
               {"int8_global_avg_pool2d", "2 axes"}},
              {"scale",
               [] { int8_global_avg_pool2d(zeros({1, 2, 3, 3}, Dtype::u8), {-1, 0}); },
               "ValueError",
               {"int8_global_avg_pool2d", "scale is -1"}},
          },
      .dtypes = {Dtype::u8},
      .tolerance = 0,  // defined to the bit
      .differentiable = false,
      .twice_differentiable = false,
      .benchmarks = {channels_last_sample(
          int8_pool_sample("1x256x32x32", {1, 256, 32, 32}, {0.1, 0}, false))},
  };
}

}  // namespace espalier::test
