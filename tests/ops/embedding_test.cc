#include "ops/embedding.h"

#include <gtest/gtest.h>

#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

InputSpec embedding_indices(const Shape& shape, int64_t rows, Dtype dtype = Dtype::i64) {
  return {shape, 0, static_cast<double>(rows), dtype, false};
}

/// Rows of a table; with few rows and many indices the gradient adds up duplicates.
OpSample embedding_sample(std::string label, const Shape& weights, InputSpec index) {
  return {std::move(label),
          {{weights}, index},
          [](Inputs in) { return Tensors{embedding(in[0], in[1])}; },
          [](const Arrays& in) {
            Shape shape = in[1].shape;
            shape.push_back(in[0].shape[1]);
            Array result(shape);
            for_each_index(shape, [&](const Dims& to) {
              Dims place = to;
              place.erase(place.rank() - 1);
              result.at(to) = in[0].at({static_cast<int64_t>(in[1].at(place)), to.back()});
            });
            return Arrays{result};
          }};
}

}  // namespace

OpTest embedding_test() {
  return {
      .name = "embedding",
      .covers = {"embedding_backward"},
      .samples =
          {
              embedding_sample("rows", {7, 3}, embedding_indices({5}, 7)),
              embedding_sample("duplicates", {3, 20}, embedding_indices({4, 10}, 3)),
              embedding_sample("i32", {4, 2}, embedding_indices({2, 1, 3}, 4, Dtype::i32)),
              embedding_sample("one index", {4, 3}, embedding_indices({}, 4)),
              embedding_sample("no indices", {4, 3}, embedding_indices({2, 0}, 4)),
              embedding_sample("no rows, no indices", {0, 3}, embedding_indices({0}, 0)),
              embedding_sample("rows without elements", {4, 0}, embedding_indices({3}, 4)),
          },
      .errors =
          {
              {"index too large",
               [] { embedding(zeros({5, 2}), from_values<int64_t>({0, 4, 5, 9}, {2, 2})); },
               "ValueError",
               {"embedding", "index 5", "position 2", "i64[2, 2]", "5 rows"}},
              {"negative index",
               [] { embedding(zeros({5, 2}), from_values<int32_t>({0, -1}, {2})); },
               "ValueError",
               {"embedding", "index -1", "position 1", "i32[2]", "5 rows"}},
              {"weights of three axes",
               [] { embedding(zeros({5, 2, 1}), zeros({2}, Dtype::i64)); },
               "ShapeError",
               {"embedding", "f32[5, 2, 1], i64[2]", "two axes"}},
              {"floating indices",
               [] { embedding(zeros({5, 2}), zeros({2})); },
               "TypeError",
               {"embedding", "f32[5, 2], f32[2]", "i32 or i64"}},
              {"undefined",
               [] { embedding(zeros({5, 2}), Tensor()); },
               "ValueError",
               {"embedding", "undefined"}},
              {"a gradient of another shape",
               [] { apply_one(EmbeddingBackward(5), zeros({3, 2}), zeros({2}, Dtype::i64)); },
               "ShapeError",
               {"embedding_backward", "f32[3, 2], i64[2]"}},
              {"an integer gradient",
               [] { apply_one(EmbeddingBackward(5), zeros({2, 2}, Dtype::i64), zeros({2}, Dtype::i64)); },
               "TypeError",
               {"embedding_backward", "i64[2, 2]", "floating"}},
          },
      .dtypes = kAllTypes,
      .benchmarks = {embedding_sample("65 characters", {65, 384}, embedding_indices({8, 128}, 65))},
  };
}

namespace {

TEST(Embedding, CostsTheRowsThatItReads) {
  const std::vector<Tensor> inputs = {empty({1000, 8}, Dtype::f32, kMeta), empty({2}, Dtype::i64, kMeta)};
  const OutputSpec rows = OutputSpec::fresh({2, 8}, Dtype::f32);
  const Cost cost = Embedding().cost(inputs, std::span(&rows, 1));
  EXPECT_EQ(cost.flops, 0);
  EXPECT_EQ(cost.bytes, 2 * 8 + 2 * 2 * 8 * 4);
}

TEST(EmbeddingBackward, CostsATableAndTheSumsOfItsRows) {
  const std::vector<Tensor> inputs = {empty({2, 8}, Dtype::f32, kMeta), empty({2}, Dtype::i64, kMeta)};
  const OutputSpec table = OutputSpec::fresh({1000, 8}, Dtype::f32);
  const Cost cost = EmbeddingBackward(1000).cost(inputs, std::span(&table, 1));
  EXPECT_EQ(cost.flops, 2 * 8);
  EXPECT_EQ(cost.bytes, 2 * 8 + (2 * 8 + 1000 * 8) * 4);
}

}  // namespace
}  // namespace espalier::test
