#include "ops/triangle.h"

#include <limits>

#include <gtest/gtest.h>

#include "core/create.h"
#include "ops/reshape.h"
#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

OpSample triangle_sample(bool upper, std::string label, const Shape& shape, int64_t diagonal) {
  return {std::move(label),
          {{shape}},
          [=](Inputs in) { return Tensors{upper ? triu(in[0], diagonal) : tril(in[0], diagonal)}; },
          [=](const Arrays& in) {
            Array result(in[0].shape);
            for_each_index(result.shape, [&](const Dims& at) {
              const int64_t distance = at.back() - at[at.rank() - 2];
              if (upper ? distance >= diagonal : distance <= diagonal) result.at(at) = in[0].at(at);
            });
            return Arrays{result};
          }};
}

OpSample diagonal_sample(std::string label, const Shape& shape, int64_t offset) {
  return {std::move(label),
          {{shape}},
          [=](Inputs in) { return Tensors{diagonal(in[0], offset)}; },
          [=](const Arrays& in) {
            const int rank = in[0].shape.rank();
            const int64_t row = std::max<int64_t>(-offset, 0), column = std::max<int64_t>(offset, 0);
            const int64_t size = std::min(in[0].shape[rank - 2] - row, in[0].shape[rank - 1] - column);
            Shape less = in[0].shape;
            less.erase(rank - 1);
            less[rank - 2] = std::max<int64_t>(size, 0);
            Array result(less);
            for_each_index(less, [&](const Dims& to) {
              Dims from = to;
              from[rank - 2] += row;
              from.push_back(to.back() + column);
              result.at(to) = in[0].at(from);
            });
            return Arrays{result};
          }};
}

OpTest triangle_test(bool upper) {
  const std::string name = upper ? "triu" : "tril";
  const auto run = upper ? triu : tril;
  const auto make = [upper](std::string label, const Shape& shape, int64_t diagonal) {
    return triangle_sample(upper, std::move(label), shape, diagonal);
  };
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  return {
      .name = name,
      .samples =
          {
              make("square", {4, 4}, 0),
              make("wide, above", {2, 3, 5}, 1),
              make("tall, below", {5, 3}, -2),
              make("beyond the columns", {2, 3}, kMost),
              make("beyond the rows", {3, 2}, -kMost),
              make("no rows", {0, 3}, 0),
              make("no columns", {3, 0}, 0),
          },
      .errors =
          {
              {"one axis", [run] { run(zeros({3}), 0); }, "ShapeError", {name, "f32[3]", "rows, columns"}},
              {"undefined", [run] { run(Tensor(), 0); }, "ValueError", {name, "undefined"}},
          },
      .dtypes = kEveryType,
      .benchmarks = {make("mask", {1024, 1024}, 0), make("small", {64, 64, 64}, 0)},
  };
}

}  // namespace

OpTest tril_test() {
  OpTest made = triangle_test(false);
  for (OpSample more :
       {diagonal_sample("diagonal", {3, 4}, 0), diagonal_sample("diagonal above", {2, 3, 3}, 1),
        diagonal_sample("diagonal below", {4, 2}, -1), diagonal_sample("last diagonal", {3, 3}, 2),
        diagonal_sample("no diagonal", {3, 2}, 2), diagonal_sample("beyond", {3, 2}, -7),
        diagonal_sample("diagonal of nothing", {0, 2}, 0)})
    made.samples.push_back(std::move(more));
  made.errors.push_back(
      {"diagonal of one axis", [] { diagonal(zeros({3})); }, "ShapeError", {"diagonal", "f32[3]"}});
  return made;
}

OpTest triu_test() {
  return triangle_test(true);
}

namespace {

TEST(Diagonal, IsAViewOfRowMajorMatrices) {
  const Tensor x = zeros({3, 3});
  Tensor part = diagonal(x);
  EXPECT_EQ(part.raw_data(), x.raw_data());
  EXPECT_EQ(part.strides()[0], 4);
}

}  // namespace
}  // namespace espalier::test
