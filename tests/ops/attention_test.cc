#include "ops/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "ops/permute.h"
#include "ops/reshape.h"
#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

struct Options {
  bool causal = false;
  std::optional<double> scale = {};
};

/// Row by row, with all scores of a row at hand.
Array reference(const Array& q, const Array& k, const Array& v, Options options) {
  const int rank = q.shape.rank();
  const int64_t queries = q.shape[rank - 2], depth = q.shape.back(), keys = k.shape[rank - 2];
  const int64_t width = v.shape.back();
  const double scale = options.scale.value_or(1 / std::sqrt(static_cast<double>(depth)));
  Shape shape = q.shape;
  shape[rank - 1] = width;
  Array y(shape);
  int64_t heads = 1;
  for (int i = 0; i < rank - 2; ++i) heads *= q.shape[i];
  for (int64_t row = 0; row < heads * queries; ++row) {
    const int64_t head = row / queries, query = row % queries;
    const int64_t seen = options.causal ? std::min(keys, query + 1) : keys;
    std::vector<double> scores(static_cast<size_t>(seen));
    double top = -std::numeric_limits<double>::infinity(), sum = 0;
    for (int64_t s = 0; s < seen; ++s) {
      double& score = scores[static_cast<size_t>(s)];
      for (int64_t d = 0; d < depth; ++d)
        score += scale * q[row * depth + d] * k[(head * keys + s) * depth + d];
      top = std::max(top, score);
    }
    for (double& score : scores) sum += score = std::exp(score - top);
    for (int64_t s = 0; s < seen; ++s) {
      const double weight = scores[static_cast<size_t>(s)] / sum;
      for (int64_t e = 0; e < width; ++e) y[row * width + e] += weight * v[(head * keys + s) * width + e];
    }
  }
  return y;
}

OpSample sample(std::string label, const Shape& q, const Shape& k, const Shape& v, Options options = {}) {
  return {std::move(label),
          {{q}, {k}, {v}},
          [=](Inputs in) { return Tensors{attention(in[0], in[1], in[2], options.causal, options.scale)}; },
          [=](const Arrays& in) { return Arrays{reference(in[0], in[1], in[2], options)}; }};
}

OpSample square(std::string label, const Shape& shape, Options options = {}) {
  return sample(std::move(label), shape, shape, shape, options);
}

/// Its gradient is left to fused_gradients_test.cc: differences in hundreds of numbers take long.
OpSample value_only(OpSample sample) {
  for (InputSpec& input : sample.inputs) input.differentiable = false;
  return sample;
}

/// Queries, keys and values as a layer has them: [N, T, H, D] seen as [N, H, T, D], and the result the other
/// way.
OpSample split_heads() {
  const Shape shape = {2, 5, 3, 4};
  return {"heads split by a view",
          {{shape}, {shape}, {shape}},
          [](Inputs in) {
            const auto split = [](const Tensor& t) { return permute(t, {0, 2, 1, 3}); };
            const Tensor y = attention(split(in[0]), split(in[1]), split(in[2]), true);
            const Tensor merged = permute(y, {0, 2, 1, 3});
            if (in[0].is_contiguous() && !merged.is_contiguous())
              throw Error("test", "heads do not merge by a view");
            return Tensors{reshape(merged, {2, 5, 12})};
          },
          [=](const Arrays& in) {
            const auto exchanged = [](const Array& array) {
              Array result({array.shape[0], array.shape[2], array.shape[1], array.shape[3]});
              for_each_index(result.shape,
                             [&](const Dims& i) { result.at(i) = array.at({i[0], i[2], i[1], i[3]}); });
              return result;
            };
            Array y = exchanged(reference(exchanged(in[0]), exchanged(in[1]), exchanged(in[2]), {true}));
            y.shape = {2, 5, 12};
            return Arrays{y};
          }};
}

}  // namespace

OpTest attention_test() {
  return {
      .name = "attention",
      .covers = {"attention_backward"},
      .samples =
          {
              square("one head", {5, 4}),
              square("causal", {5, 4}, {true}),
              square("heads", {2, 3, 4, 2}, {true}),
              sample("more keys than queries", {2, 3, 4}, {2, 5, 4}, {2, 5, 3}),
              sample("more keys than queries, causal", {2, 3, 4}, {2, 5, 4}, {2, 5, 3}, {true}),
              sample("fewer keys than queries, causal", {1, 5, 2}, {1, 3, 2}, {1, 3, 2}, {true}),
              square("a scale", {1, 4, 3}, {false, 0.3}),
              value_only(square("several blocks of queries and keys", {1, 70, 2}, {true})),
              value_only(sample("many keys", {1, 2, 3}, {1, 130, 3}, {1, 130, 1})),
              split_heads(),
              square("no heads", {0, 3, 2}),
              sample("no queries", {2, 0, 3}, {2, 4, 3}, {2, 4, 3}, {true}),
              sample("no keys", {2, 3, 4}, {2, 0, 4}, {2, 0, 4}),
          },
      .errors =
          {
              {"depths",
               [] { attention(zeros({2, 3, 4}), zeros({2, 3, 5}), zeros({2, 3, 4})); },
               "ShapeError",
               {"attention", "f32[2, 3, 4]", "f32[2, 3, 5]", "[..., S, D]"}},
              {"numbers of keys",
               [] { attention(zeros({2, 3, 4}), zeros({2, 5, 4}), zeros({2, 3, 4})); },
               "ShapeError",
               {"attention", "f32[2, 3, 4]", "f32[2, 5, 4]"}},
              {"leading axes",
               [] { attention(zeros({2, 3, 4}), zeros({1, 3, 4}), zeros({2, 3, 4})); },
               "ShapeError",
               {"attention", "f32[1, 3, 4]", "equal leading axes"}},
              {"a vector",
               [] { attention(zeros({4}), zeros({4}), zeros({4})); },
               "ShapeError",
               {"attention", "f32[4]"}},
              {"two types",
               [] { attention(zeros({3, 4}), zeros({3, 4}), zeros({3, 4}, Dtype::f64)); },
               "TypeError",
               {"attention", "f32[3, 4]", "f64[3, 4]"}},
              {"a scale that is no number",
               [] { attention(zeros({3, 4}), zeros({3, 4}), zeros({3, 4}), false, std::nan("")); },
               "ValueError",
               {"attention", "nan", "finite"}},
              {"no keys given",
               [] { attention(zeros({3, 4}), {}, zeros({3, 4})); },
               "ValueError",
               {"attention", "f32[3, 4]", "undefined"}},
              {"a gradient of another shape",
               [] {
                 const Tensor x = zeros({3, 4});
                 apply(AttentionBackward(false, 1, true, true, true),
                       {zeros({3, 5}), x, x, x, x, zeros({3})});
               },
               "ShapeError",
               {"attention_backward", "f32[3, 5]", "f32[3, 4]"}},
          },
      // Scores are sums of 4 products of up to 4, whose error the exponential passes on; then sums over the
      // keys.
      .tolerance = 40,
      .mixed_axes = {-2},
      .benchmarks = {square("gpt-nano", {12, 4, 64, 32}, {true}),
                     square("gpt-mini", {4, 6, 256, 64}, {true})},
  };
}

}  // namespace espalier::test
