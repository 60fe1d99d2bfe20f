#include "ops/cached_attention.h"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "tests/support/message_of.h"
#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

struct CacheSizes {
  int64_t heads = 2, groups = 2, steps = 1, capacity = 6, depth = 4, width = 3;
};

/// Sequences whose cache holds `lengths` steps already.
OpSample cached_attention_sample(std::string label, const std::vector<int64_t>& lengths,
                                 const CacheSizes& c = {}, std::optional<double> scale = {}) {
  const auto n = static_cast<int64_t>(lengths.size());
  const Tensor filled = from_values(lengths, {n});
  return {std::move(label),
          {{{n, c.heads, c.steps, c.depth}},
           {{n, c.groups, c.steps, c.depth}},
           {{n, c.groups, c.steps, c.width}},
           {{n, c.groups, c.capacity, c.depth}},
           {{n, c.groups, c.capacity, c.width}}},
          [=](Inputs in) {
            const Tensor y =
                cached_attention_(in[0], in[1], in[2], in[3], in[4], known(filled, in[0].device()), scale);
            return Tensors{y, in[3], in[4]};
          },
          [=](const Arrays& in) {
            Array y({n, c.heads, c.steps, c.width}), keys = in[3], values = in[4];
            for_each_index({n, c.groups, c.steps}, [&](const Dims& i) {
              const int64_t at = lengths[static_cast<size_t>(i[0])] + i[2];
              for (int64_t d = 0; d < c.depth; ++d)
                keys.at({i[0], i[1], at, d}) = in[1].at({i[0], i[1], i[2], d});
              for (int64_t e = 0; e < c.width; ++e)
                values.at({i[0], i[1], at, e}) = in[2].at({i[0], i[1], i[2], e});
            });
            const double factor = scale.value_or(1 / std::sqrt(static_cast<double>(c.depth)));
            for_each_index({n, c.heads, c.steps}, [&](const Dims& i) {
              const int64_t group = i[1] / (c.heads / c.groups);
              const int64_t seen = lengths[static_cast<size_t>(i[0])] + i[2] + 1;
              std::vector<double> weights;
              double sum = 0;
              for (int64_t s = 0; s < seen; ++s) {
                double score = 0;
                for (int64_t d = 0; d < c.depth; ++d)
                  score += in[0].at({i[0], i[1], i[2], d}) * keys.at({i[0], group, s, d});
                weights.push_back(std::exp(factor * score));
                sum += weights.back();
              }
              for (int64_t s = 0; s < seen; ++s) {
                for (int64_t e = 0; e < c.width; ++e) {
                  y.at({i[0], i[1], i[2], e}) +=
                      weights[static_cast<size_t>(s)] / sum * values.at({i[0], group, s, e});
                }
              }
            });
            return Arrays{y, keys, values};
          }};
}

/// Of a cache for one sequence of 6 steps, of which `length` are there, and one step more.
Tensor one_more(int64_t length, const Tensor& keys = zeros({1, 2, 6, 4})) {
  const Tensor step = zeros({1, 2, 1, 4});
  return cached_attention_(step, step, step, keys, zeros({1, 2, 6, 4}), from_values<int64_t>({length}, {1}));
}

TEST(CachedAttention, LeavesTheCacheAloneWhereThereIsNoRoom) {
  const Tensor keys = zeros({2, 1, 4, 2}), values = zeros({2, 1, 4, 2}), step = ones({2, 1, 2, 2});
  EXPECT_EQ(message_of<ValueError>([&] {
              cached_attention_(step, step, step, keys, values, from_values<int64_t>({1, 3}, {2}));
            }),
            "[cached_attention] sequence 1 of the cache has 3 steps, to which 2 come, but it holds 4; clear "
            "it, or make it longer");
  EXPECT_EQ(keys.to_vector<float>(), std::vector<float>(16));
}

}  // namespace

OpTest cached_attention_test() {
  const CacheSizes gpt{.heads = 6, .groups = 6, .capacity = 256, .depth = 64, .width = 64};
  return {
      .name = "cached_attention",
      .samples =
          {
              cached_attention_sample("one step", {3}),
              cached_attention_sample("the first step", {0}),
              cached_attention_sample("the last step", {5}),
              cached_attention_sample("several steps", {1}, {.steps = 4}),
              cached_attention_sample("all at once", {0}, {.steps = 6}),
              cached_attention_sample("sequences of several lengths", {0, 4, 2}, {.steps = 2}),
              cached_attention_sample("shared keys", {2, 3}, {.heads = 6, .groups = 2}),
              cached_attention_sample("own scale", {2}, {}, 0.1),
              cached_attention_sample("no sequence", {}),
              cached_attention_sample("no step", {2}, {.steps = 0}),
          },
      .errors =
          {
              {"no room", [] { one_more(6); }, "ValueError", {"cached_attention", "6 steps", "holds 6"}},
              {"a negative length", [] { one_more(-1); }, "ValueError", {"cached_attention", "-1 steps"}},
              {"a cache of another width",
               [] { one_more(0, zeros({1, 2, 6, 3})); },
               "ShapeError",
               {"cached_attention", "f32[1, 2, 6, 3]", "[N, G, L, D]"}},
              {"a cache of another type",
               [] { one_more(0, zeros({1, 2, 6, 4}, Dtype::f64)); },
               "TypeError",
               {"cached_attention", "f64[1, 2, 6, 4]"}},
              {"more steps than the cache holds",
               [] {
                 const Tensor steps = zeros({1, 1, 3, 2}), cache = zeros({1, 1, 2, 2});
                 cached_attention_(steps, steps, steps, cache, cache, zeros({1}, Dtype::i64));
               },
               "ShapeError",
               {"cached_attention", "[1, 1, 3, 2]", "T up to L"}},
              {"a scale that is not finite",
               [] {
                 const Tensor step = zeros({1, 1, 1, 2}), cache = zeros({1, 1, 2, 2});
                 cached_attention_(step, step, step, cache, cache, zeros({1}, Dtype::i64), HUGE_VAL);
               },
               "ValueError",
               {"cached_attention", "finite"}},
          },
      .dtypes = kFloatingTypes,
      .differentiable = false,
      .twice_differentiable = false,
      .benchmarks = {cached_attention_sample("gpt-mini", {200}, gpt),
                     cached_attention_sample("prompt of 128", {0}, {6, 6, 128, 256, 64, 64})},
  };
}

OpTest cached_positions_test() {
  const auto positions_sample = [](std::string label, int64_t n, int64_t steps) {
    return OpSample{std::move(label),
                    {{{n}, 0, 5}},
                    [=](Inputs in) { return Tensors{cached_positions(in[0], steps, 8)}; },
                    [=](const Arrays& in) {
                      Array places({n, steps});
                      for_each_index({n, steps}, [&](const Dims& i) {
                        places.at({i[0], i[1]}) = in[0][i[0]] + static_cast<double>(i[1]);
                      });
                      return Arrays{places};
                    }};
  };
  return {
      .name = "cached_positions",
      .samples =
          {
              positions_sample("one step", 3, 1),
              positions_sample("several steps", 2, 3),
              positions_sample("no step", 2, 0),
              positions_sample("no sequence", 0, 2),
          },
      .errors =
          {
              {"no room",
               [] { cached_positions(from_values<int64_t>({3, 7}, {2}), 2, 8); },
               "ValueError",
               {"cached_positions", "sequence 1 of the cache has 7 steps, to which 2 come, but it holds 8"}},
              {"a negative length",
               [] { cached_positions(from_values<int64_t>({-1}, {1}), 2, 8); },
               "ValueError",
               {"cached_positions", "sequence 0 of the cache has -1 steps"}},
              {"negative steps",
               [] { cached_positions(zeros({1}, Dtype::i64), -1, 8); },
               "ValueError",
               {"cached_positions", "-1 steps in a cache for 8"}},
              {"lengths of two axes",
               [] { cached_positions(zeros({1, 1}, Dtype::i64), 1, 8); },
               "ShapeError",
               {"cached_positions", "i64[1, 1]", "[N]"}},
              {"other lengths",
               [] { cached_positions(zeros({1}), 1, 8); },
               "TypeError",
               {"cached_positions", "f32[1]", "i64"}},
          },
      .dtypes = {Dtype::i64},
      .differentiable = false,
      .twice_differentiable = false,
  };
}

}  // namespace espalier::test
