#include "ops/add.h"

#include "ops/accumulate.h"
#include "tests/ops/op_tests.h"

namespace espalier::test {
namespace {

OpSample sample(std::string label, const Shape& a, const Shape& b) {
  return elementwise_sample(
      std::move(label), {{a}, {b}}, [](Inputs in) { return in[0] + in[1]; },
      [](const std::vector<double>& x) { return x[0] + x[1]; });
}

}  // namespace

OpTest add_test() {
  return {
      .name = "add",
      .covers = {"accumulate"},
      .samples =
          {
              sample("same shape", {3, 5}, {3, 5}),
              sample("longer than a tile", {2, 300}, {2, 300}),
              sample("row", {4, 7}, {7}),
              sample("column", {4, 7}, {4, 1}),
              sample("outer", {3, 1}, {1, 4}),
              sample("scalars", {}, {}),
              sample("scalar and cube", {}, {2, 3, 4}),
              sample("empty", {0, 3}, {1, 3}),
              {"accumulate in place",
               {{{2, 3}, -2, 2, {}, false}, {{2, 3}, -2, 2, {}, false}},
               [](Inputs in) {
                 const NoGrad no_grad;
                 return Tensors{accumulate_(in[0], in[1])};
               },
               [](const Arrays& in) {
                 Array sum(in[0].shape);
                 for (int64_t i = 0; i < 6; ++i) sum[i] = in[0][i] + in[1][i];
                 return Arrays{sum};
               }},
          },
      .errors =
          {
              {"shapes that do not broadcast",
               [] { add(zeros({2, 3}), zeros({4})); },
               "ShapeError",
               {"add", "[2, 3]", "[4]", "axis -1"}},
              {"an 8-bit float and another type",
               [] { add(zeros({2}, Dtype::f8_e4m3), zeros({2})); },
               "TypeError",
               {"add", "f8_e4m3", "f32"}},
              {"two devices",
               [] { add(zeros({2}), zeros({2}, Dtype::f32, kMeta)); },
               "DeviceError",
               {"add", "meta"}},
              {"accumulate other shapes",
               [] { accumulate_(zeros({2}), zeros({3})); },
               "ShapeError",
               {"accumulate", "[2]", "[3]"}},
          },
      .dtypes = kAllTypes,
      .benchmarks = {sample("1M", {1024, 1024}, {1024, 1024}), sample("1M + row", {1024, 1024}, {1024})},
  };
}

}  // namespace espalier::test
