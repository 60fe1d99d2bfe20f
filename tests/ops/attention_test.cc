#include "ops/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "ops/permute.h"
#include "ops/reshape.h"
#include "tests/ops/elementwise_samples.h"
#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

const AttentionOptions kCausal{.causal = Causal::upper_left}, kLatest{.causal = Causal::lower_right};

/// What the options allow query t to see of `keys` keys, without a mask: those before this one.
int64_t seen_keys(const AttentionOptions& options, int64_t t, int64_t queries, int64_t keys) {
  switch (options.causal) {
    case Causal::none:
      return keys;
    case Causal::upper_left:
      return std::min(keys, t + 1);
    case Causal::lower_right:
      return std::clamp<int64_t>(t + 1 + keys - queries, 0, keys);
  }
  return 0;
}

/// Row by row, with all scores of a row at hand. The heads of k and v, if fewer, are repeated. `mask`, empty
/// or of rank up to q's, is added.
Array attention_reference(const Array& q, const Array& k, const Array& v, const AttentionOptions& options,
                          const Array& mask = Array()) {
  const int rank = q.shape.rank();
  const int64_t queries = q.shape[rank - 2], depth = q.shape.back(), keys = k.shape[rank - 2];
  const double scale = options.scale.value_or(1 / std::sqrt(static_cast<double>(depth)));
  Shape shape = q.shape;
  shape[rank - 1] = v.shape.back();
  const int64_t repeats = rank > 2 && k.shape[rank - 3] > 0 ? q.shape[rank - 3] / k.shape[rank - 3] : 1;
  Array y(shape);
  for_each_index(q.shape, [&](const Dims& place) {
    if (place.back() != 0) return;  // once a row
    Dims at_q = place, at_k = place, at_mask = place;
    if (rank > 2) at_k[rank - 3] /= repeats;
    const int64_t t = place[rank - 2], seen = seen_keys(options, t, queries, keys);
    std::vector<double> scores(static_cast<size_t>(seen));
    double top = -std::numeric_limits<double>::infinity(), sum = 0;
    for (int64_t s = 0; s < seen; ++s) {
      double& score = scores[static_cast<size_t>(s)];
      at_k[rank - 2] = at_mask[rank - 1] = s;
      for (int64_t d = 0; d < depth; ++d) {
        at_q[rank - 1] = at_k[rank - 1] = d;
        score += scale * q.at(at_q) * k.at(at_k);
      }
      if (!mask.shape.empty()) score += broadcast_at(mask, at_mask);
      top = std::max(top, score);
    }
    if (top == -std::numeric_limits<double>::infinity()) return;  // sees nothing
    for (double& score : scores) sum += score = std::exp(score - top);
    for (int64_t s = 0; s < seen; ++s) {
      at_k[rank - 2] = s;
      for (int64_t e = 0; e < v.shape.back(); ++e) {
        at_q[rank - 1] = at_k[rank - 1] = e;
        y.at(at_q) += scores[static_cast<size_t>(s)] / sum * v.at(at_k);
      }
    }
  });
  return y;
}

OpSample attention_sample(std::string label, const Shape& q, const Shape& k, const Shape& v,
                          const AttentionOptions& options = {}) {
  return {std::move(label),
          {{q}, {k}, {v}},
          [=](Inputs in) { return Tensors{attention(in[0], in[1], in[2], options)}; },
          [=](const Arrays& in) { return Arrays{attention_reference(in[0], in[1], in[2], options)}; }};
}

/// With a mask: numbers that are added, or bools of which about `hidden` are false.
OpSample masked(std::string label, const Shape& q, const Shape& k, const Shape& mask, bool hides,
                const AttentionOptions& options = {}, bool learns = false) {
  InputSpec given{.shape = mask, .differentiable = learns};
  if (hides) given = {.shape = mask, .low = 0, .high = 2, .dtype = Dtype::boolean};
  return {std::move(label),
          {{q}, {k}, {k}, given},
          [=](Inputs in) {
            AttentionOptions own = options;
            own.mask = in[3];
            return Tensors{attention(in[0], in[1], in[2], own)};
          },
          [=](const Arrays& in) {
            Array added = in[3];
            if (hides) {
              for (double& value : added.values) value = value != 0 ? 0 : -kInfinity;
            }
            return Arrays{attention_reference(in[0], in[1], in[2], options, added)};
          }};
}

OpSample square(std::string label, const Shape& shape, const AttentionOptions& options = {}) {
  return attention_sample(std::move(label), shape, shape, shape, options);
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
            const Tensor y = attention(split(in[0]), split(in[1]), split(in[2]), kCausal);
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
            Array y =
                exchanged(attention_reference(exchanged(in[0]), exchanged(in[1]), exchanged(in[2]), kCausal));
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
              square("causal", {5, 4}, kCausal),
              square("heads", {2, 3, 4, 2}, kCausal),
              attention_sample("more keys than queries", {2, 3, 4}, {2, 5, 4}, {2, 5, 3}),
              attention_sample("more keys than queries, causal", {2, 3, 4}, {2, 5, 4}, {2, 5, 3}, kCausal),
              attention_sample("fewer keys than queries, causal", {1, 5, 2}, {1, 3, 2}, {1, 3, 2}, kCausal),
              square("a scale", {1, 4, 3}, {.scale = 0.3}),
              value_only(square("several blocks of queries and keys", {1, 70, 2}, kCausal)),
              value_only(square("several groups of queries", {1, 150, 2}, kCausal)),
              value_only(square("rows too long to be transposed", {1, 5, 130}, kCausal)),
              value_only(attention_sample("many keys", {1, 2, 3}, {1, 130, 3}, {1, 130, 1})),
              split_heads(),
              square("no heads", {0, 3, 2}),
              attention_sample("no queries", {2, 0, 3}, {2, 4, 3}, {2, 4, 3}, kCausal),
              attention_sample("no keys", {2, 3, 4}, {2, 0, 4}, {2, 0, 4}),
              attention_sample("the latest of more keys", {2, 3, 4}, {2, 5, 4}, {2, 5, 3}, kLatest),
              attention_sample("queries before all keys", {1, 5, 2}, {1, 3, 2}, {1, 3, 2}, kLatest),
              value_only(attention_sample("the latest of several blocks", {1, 70, 2}, {1, 150, 2},
                                          {1, 150, 2}, kLatest)),
              value_only(attention_sample("blocks of queries before all keys", {1, 150, 2}, {1, 70, 2},
                                          {1, 70, 2}, kLatest)),
              attention_sample("grouped heads", {2, 4, 3, 2}, {2, 2, 5, 2}, {2, 2, 5, 3}),
              attention_sample("one head of keys for all", {1, 3, 2, 2}, {1, 1, 4, 2}, {1, 1, 4, 2}, kLatest),
              masked("an added mask", {2, 3, 4}, {2, 5, 4}, {2, 3, 5}, false),
              masked("an added row", {2, 2, 3, 2}, {2, 2, 5, 2}, {2, 1, 1, 5}, false, kCausal),
              masked("an added column", {2, 3, 4}, {2, 5, 4}, {3, 1}, false),
              masked("an added mask that learns", {2, 3, 2}, {2, 4, 2}, {3, 4}, false, kCausal, true),
              masked("hidden keys", {2, 3, 4}, {2, 5, 4}, {3, 5}, true),
              masked("hidden keys of grouped heads", {2, 4, 3, 2}, {2, 2, 5, 2}, {1, 4, 3, 5}, true, kLatest),
              masked("hidden keys of a batch of grouped heads", {2, 4, 3, 2}, {2, 2, 5, 2}, {2, 1, 1, 5},
                     true),
              value_only(masked("hidden keys of several blocks", {1, 70, 2}, {1, 150, 2}, {70, 150}, true)),
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
               [] { attention(zeros({3, 3, 4}), zeros({2, 3, 4}), zeros({3, 3, 4})); },
               "ShapeError",
               {"attention", "f32[2, 3, 4]", "equal leading axes"}},
              {"a mask of other keys",
               [] { attention(zeros({3, 4}), zeros({5, 4}), zeros({5, 4}), {.mask = zeros({3, 4})}); },
               "ShapeError",
               {"attention", "f32[3, 4]", "[3, 5]"}},
              {"a mask of more axes",
               [] { attention(zeros({3, 4}), zeros({5, 4}), zeros({5, 4}), {.mask = zeros({2, 3, 5})}); },
               "ShapeError",
               {"attention", "f32[2, 3, 5]", "broadcasts to [3, 5]"}},
              {"a mask of another type",
               [] {
                 attention(zeros({3, 4}), zeros({5, 4}), zeros({5, 4}), {.mask = zeros({5}, Dtype::i64)});
               },
               "TypeError",
               {"attention", "i64[5]", "bool or f32"}},
              {"a vector",
               [] { attention(zeros({4}), zeros({4}), zeros({4})); },
               "ShapeError",
               {"attention", "f32[4]"}},
              {"two types",
               [] { attention(zeros({3, 4}), zeros({3, 4}), zeros({3, 4}, Dtype::f64)); },
               "TypeError",
               {"attention", "f32[3, 4]", "f64[3, 4]"}},
              {"a scale that is no number",
               [] { attention(zeros({3, 4}), zeros({3, 4}), zeros({3, 4}), {.scale = std::nan("")}); },
               "ValueError",
               {"attention", "nan", "finite"}},
              {"no keys given",
               [] { attention(zeros({3, 4}), {}, zeros({3, 4})); },
               "ValueError",
               {"attention", "f32[3, 4]", "undefined"}},
              {"a gradient of another shape",
               [] {
                 const Tensor x = zeros({3, 4});
                 apply(AttentionBackward(Causal::none, 1, true, true, true),
                       {zeros({3, 5}), x, x, x, x, zeros({3}), Tensor()});
               },
               "ShapeError",
               {"attention_backward", "f32[3, 5]", "f32[3, 4]"}},
          },
      // Scores are sums of 4 products of up to 4, whose error the exponential passes on; then sums over the
      // keys.
      .tolerance = 40,
      .benchmarks = {square("gpt-nano", {12, 4, 64, 32}, kCausal),
                     square("gpt-mini", {4, 6, 256, 64}, kCausal)},
  };
}

}  // namespace espalier::test
