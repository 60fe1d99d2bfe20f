#include "ops/layer_norm.h"

#include <cmath>

#include "ops/permute.h"
#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

constexpr double kLayerNormEpsilon = 1e-3;

Array layer_norm_reference(const Array& x, const Array& weight, const Array& bias, int64_t size) {
  Array y(x.shape);
  const int64_t rows = size == 0 ? 0 : count(x.shape) / size;
  for (int64_t row = 0; row < rows; ++row) {
    double mean = 0, variance = 0;
    for (int64_t i = 0; i < size; ++i) mean += x[row * size + i] / static_cast<double>(size);
    for (int64_t i = 0; i < size; ++i) {
      variance += (x[row * size + i] - mean) * (x[row * size + i] - mean) / static_cast<double>(size);
    }
    for (int64_t i = 0; i < size; ++i) {
      double value = (x[row * size + i] - mean) / std::sqrt(variance + kLayerNormEpsilon);
      if (!weight.shape.empty()) value *= weight[i];
      if (!bias.shape.empty()) value += bias[i];
      y[row * size + i] = value;
    }
  }
  return y;
}

OpSample layer_norm_sample(std::string label, const Shape& x, const Shape& normalized, bool weighted = true,
                           bool biased = true) {
  return {
      std::move(label),
      {{x}, {.shape = normalized, .absent = !weighted}, {.shape = normalized, .absent = !biased}},
      [=](Inputs in) { return Tensors{layer_norm(in[0], normalized, in[1], in[2], kLayerNormEpsilon)}; },
      [=](const Arrays& in) { return Arrays{layer_norm_reference(in[0], in[1], in[2], count(normalized))}; }};
}

}  // namespace

OpTest layer_norm_test() {
  return {
      .name = "layer_norm",
      .covers = {"layer_norm_backward"},
      .samples =
          {
              layer_norm_sample("rows", {4, 7}, {7}),
              layer_norm_sample("one row", {5}, {5}),
              layer_norm_sample("weight only", {3, 6}, {6}, true, false),
              layer_norm_sample("bias only", {3, 6}, {6}, false, true),
              layer_norm_sample("neither", {3, 6}, {6}, false, false),
              layer_norm_sample("two axes", {2, 3, 4}, {3, 4}),
              layer_norm_sample("rows longer than vectors", {2, 37}, {37}),
              layer_norm_sample("several blocks of rows", {70, 3}, {3}),
              layer_norm_sample("no rows", {0, 4}, {4}),
              layer_norm_sample("rows without elements", {3, 0}, {0}),
              {"transposed",
               {{{5, 4}}, {{5}}, {{5}}},
               [](Inputs in) {
                 return Tensors{layer_norm(transpose(in[0], 0, 1), {5}, in[1], in[2], kLayerNormEpsilon)};
               },
               [](const Arrays& in) {
                 Array x({4, 5});
                 for_each_index(x.shape, [&](const Dims& i) { x.at(i) = in[0].at({i[1], i[0]}); });
                 return Arrays{layer_norm_reference(x, in[1], in[2], 5)};
               }},
          },
      .errors =
          {
              {"other last axes",
               [] { layer_norm(zeros({2, 3}), {4}); },
               "ShapeError",
               {"layer_norm", "f32[2, 3]", "[4]"}},
              {"no axes",
               [] { layer_norm(zeros({2, 3}), {}); },
               "ShapeError",
               {"layer_norm", "f32[2, 3]", "one"}},
              {"a weight of another shape",
               [] { layer_norm(zeros({2, 3}), {3}, zeros({2}), zeros({3})); },
               "ShapeError",
               {"layer_norm", "f32[2, 3]", "f32[2]", "f32[3]", "weight and bias [3]"}},
              {"two types",
               [] { layer_norm(zeros({2, 3}), {3}, zeros({3}, Dtype::f64)); },
               "TypeError",
               {"layer_norm", "f32[2, 3]", "f64[3]"}},
              {"a negative epsilon",
               [] { layer_norm(zeros({2, 3}), {3}, {}, {}, -1); },
               "ValueError",
               {"layer_norm", "-1"}},
              {"no x", [] { layer_norm({}, {3}); }, "ValueError", {"layer_norm", "undefined"}},
              {"a gradient of another shape",
               [] {
                 apply(LayerNormBackward(1, true, true, true),
                       {zeros({2, 4}), zeros({2, 3}), {}, zeros({2}), zeros({2})});
               },
               "ShapeError",
               {"layer_norm_backward", "f32[2, 4]", "f32[2, 3]"}},
          },
      // The sum and the sum of squares of up to 37 elements, and values of up to 4 after weight and bias.
      .tolerance = 16,
      .benchmarks = {layer_norm_sample("768 x 128", {768, 128}, {128}),
                     layer_norm_sample("1024 x 384", {1024, 384}, {384})},
  };
}

}  // namespace espalier::test
