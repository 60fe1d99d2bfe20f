#include "ops/cross_entropy.h"

#include <cmath>
#include <limits>

#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

/// `log softmax(row)[target]` of row `row`.
double log_probability(const Array& logits, int64_t row, int64_t target) {
  const int64_t classes = logits.shape.back();
  double top = -std::numeric_limits<double>::infinity(), sum = 0;
  for (int64_t i = 0; i < classes; ++i) top = std::max(top, logits[row * classes + i]);
  for (int64_t i = 0; i < classes; ++i) sum += std::exp(logits[row * classes + i] - top);
  return logits[row * classes + target] - top - std::log(sum);
}

OpSample sample(std::string label, const Shape& logits, Dtype index, double range = 2) {
  Shape rows = logits;
  rows.erase(rows.rank() - 1);
  return {std::move(label),
          {{logits, -range, range}, {rows, 0, static_cast<double>(logits.back()), index}},
          [](Inputs in) { return Tensors{cross_entropy(in[0], in[1])}; },
          [](const Arrays& in) {
            Array loss;
            const int64_t n = count(in[1].shape);
            for (int64_t i = 0; i < n; ++i)
              loss[0] -= log_probability(in[0], i, static_cast<int64_t>(in[1][i]));
            loss[0] /= static_cast<double>(n);
            return Arrays{loss};
          }};
}

Tensor indices(std::initializer_list<int64_t> values, const Shape& shape) {
  return from_values(values, shape);
}

}  // namespace

OpTest cross_entropy_test() {
  return {
      .name = "cross_entropy",
      .covers = {"cross_entropy_backward"},
      .samples =
          {
              sample("digits", {5, 10}, Dtype::i64),
              sample("i32 targets", {7, 3}, Dtype::i32),
              sample("one row without a batch", {4}, Dtype::i64),
              sample("tokens", {2, 3, 17}, Dtype::i64),
              sample("one class", {3, 1}, Dtype::i64),
              sample("several blocks of rows", {130, 4}, Dtype::i64),
              sample("rows longer than a tile", {2, 300}, Dtype::i64),
              sample("extreme logits", {6, 5}, Dtype::i64, 3e4),
              sample("no rows", {0, 3}, Dtype::i64),
          },
      .errors =
          {
              {"target too large",
               [] { cross_entropy(zeros({2, 3}), indices({2, 3}, {2})); },
               "ValueError",
               {"cross_entropy", "class index 3", "position [1]", "[0, 3)"}},
              {"negative target",
               [] { cross_entropy(zeros({2, 2, 3}), indices({0, 1, -100, 0}, {2, 2})); },
               "ValueError",
               {"cross_entropy", "class index -100", "position [1, 0]", "[0, 3)"}},
              {"no classes",
               [] { cross_entropy(zeros({1, 0}), indices({0}, {1})); },
               "ValueError",
               {"cross_entropy", "[0, 0)"}},
              {"rows that differ",
               [] { cross_entropy(zeros({2, 3}), indices({0, 0, 0}, {3})); },
               "ShapeError",
               {"cross_entropy", "f32[2, 3]", "i64[3]", "[..., classes]"}},
              {"logits without axes",
               [] { cross_entropy(zeros({}), indices({0}, {})); },
               "ShapeError",
               {"cross_entropy", "f32[]"}},
              {"targets that are not indices",
               [] { cross_entropy(zeros({2, 3}), zeros({2})); },
               "TypeError",
               {"cross_entropy", "f32[2]", "i32 or i64"}},
              {"undefined logits",
               [] { cross_entropy(Tensor(), indices({0}, {1})); },
               "ValueError",
               {"cross_entropy", "undefined"}},
          },
      // The f32 exponentials and logarithms are within 1 ulp of the sum, which is larger than the loss of a
      // row by the largest logit.
      .tolerance = 8,
      .benchmarks = {sample("32 x 10", {32, 10}, Dtype::i64), sample("1024 x 65", {1024, 65}, Dtype::i64),
                     sample("256 x 50257", {256, 50257}, Dtype::i64)},
  };
}

}  // namespace espalier::test
