#include "ops/linear.h"

#include "ops/expand.h"
#include "ops/permute.h"
#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

Array linear_reference(const Arrays& in) {
  const Array &x = in[0], &weight = in[1], &bias = in[2];
  const bool biased = !bias.shape.empty();
  Shape shape = x.shape;
  shape[shape.rank() - 1] = weight.shape[0];
  Array y(shape);
  for_each_index(shape, [&](const Dims& index) {
    double sum = biased ? bias[index.back()] : 0;
    Dims from = index;
    for (int64_t i = 0; i < x.shape.back(); ++i) {
      from[from.rank() - 1] = i;
      sum += x.at(from) * weight.at({index.back(), i});
    }
    y.at(index) = sum;
  });
  return y;
}

OpSample linear_sample(std::string label, const Shape& x, const Shape& weight, bool biased = true) {
  return {std::move(label),
          {{x, -1, 1}, {weight, -1, 1}, {.shape = {weight[0]}, .absent = !biased}},
          [](Inputs in) { return Tensors{linear(in[0], in[1], in[2])}; },
          [](const Arrays& in) { return Arrays{linear_reference(in)}; }};
}

}  // namespace

OpTest linear_test() {
  return {
      .name = "linear",
      .covers = {"linear_backward"},
      .samples =
          {
              linear_sample("rows", {4, 5}, {3, 5}),
              linear_sample("one row", {5}, {3, 5}),
              linear_sample("without bias", {4, 5}, {3, 5}, false),
              linear_sample("two leading axes", {2, 3, 4}, {5, 4}),
              linear_sample("wider than a tile", {9, 20}, {37, 20}),
              linear_sample("no rows", {0, 4}, {3, 4}),
              linear_sample("no features", {2, 0}, {3, 0}),
              {"x transposed, weight expanded",
               {{{5, 4}, -1, 1}, {{1, 5}, -1, 1}, {{3}}},
               [](Inputs in) {
                 return Tensors{linear(transpose(in[0], 0, 1), expand(in[1], {3, 5}), in[2])};
               },
               [](const Arrays& in) {
                 Array x({4, 5}), weight({3, 5});
                 for_each_index(x.shape, [&](const Dims& i) { x.at(i) = in[0].at({i[1], i[0]}); });
                 for_each_index(weight.shape, [&](const Dims& i) { weight.at(i) = in[1][i[1]]; });
                 return Arrays{linear_reference({x, weight, in[2]})};
               }},
          },
      .errors =
          {
              {"another number of features",
               [] { linear(zeros({2, 3}), zeros({4, 5}), zeros({4})); },
               "ShapeError",
               {"linear", "f32[2, 3]", "f32[4, 5]", "f32[4]", "[..., in]"}},
              {"a bias of another size",
               [] { linear(zeros({2, 3}), zeros({4, 3}), zeros({3})); },
               "ShapeError",
               {"linear", "f32[2, 3]", "f32[4, 3]", "f32[3]"}},
              {"a weight that is no matrix",
               [] { linear(zeros({2, 3}), zeros({3})); },
               "ShapeError",
               {"linear", "f32[2, 3]", "f32[3]", "undefined"}},
              {"a scalar", [] { linear(zeros({}), zeros({3, 1})); }, "ShapeError", {"linear", "f32[]"}},
              {"two types",
               [] { linear(zeros({2, 3}), zeros({4, 3}, Dtype::f64)); },
               "TypeError",
               {"linear", "f32[2, 3]", "f64[4, 3]"}},
              {"no weight",
               [] { linear(zeros({2, 3}), {}); },
               "ValueError",
               {"linear", "f32[2, 3]", "undefined"}},
              {"a gradient of another shape",
               [] { apply(LinearBackward(true, true, true), {zeros({2, 3}), zeros({2, 4}), zeros({5, 4})}); },
               "ShapeError",
               {"linear_backward", "f32[2, 3]", "f32[2, 4]", "f32[5, 4]"}},
              {"a backward without what it reads",
               [] { apply(LinearBackward(true, false, false), {zeros({2, 3}), {}, {}}); },
               "ValueError",
               {"linear_backward", "f32[2, 3]", "undefined"}},
          },
      // Sums of up to 20 products.
      .tolerance = 20,
      .benchmarks = {linear_sample("32 x 64 to 64", {32, 64}, {64, 64}),
                     linear_sample("768 x 128 to 512", {12, 64, 128}, {512, 128})},
  };
}

}  // namespace espalier::test
