#include "ops/add.h"

#include <gtest/gtest.h>

#include "ops/accumulate.h"
#include "ops/cast.h"
#include "ops/compare.h"
#include "ops/copy.h"
#include "ops/permute.h"
#include "ops/random.h"
#include "ops/slice.h"
#include "ops/where.h"
#include "tests/ops/elementwise_samples.h"
#include "tests/support/op_test.h"

namespace espalier::test {

OpTest add_test() {
  const auto run = [](Inputs in) { return in[0] + in[1]; };
  const auto f = [](const std::vector<double>& x) { return x[0] + x[1]; };
  std::vector<OpSample> samples = binary_samples(run, f);
  samples.push_back({"accumulate in place",
                     {{{2, 3}, -2, 2, {}, false}, {{2, 3}, -2, 2, {}, false}},
                     [](Inputs in) {
                       const NoGrad no_grad;
                       return Tensors{accumulate_(in[0], in[1])};
                     },
                     [](const Arrays& in) {
                       Array sum(in[0].shape);
                       for (int64_t i = 0; i < 6; ++i) sum[i] = in[0][i] + in[1][i];
                       return Arrays{sum};
                     }});
  std::vector<OpError> errors = binary_errors("add", [](const Tensor& a, const Tensor& b) { return a + b; });
  errors.push_back({"accumulate other shapes",
                    [] { accumulate_(zeros({2}), zeros({3})); },
                    "ShapeError",
                    {"accumulate", "[2]", "[3]"}});
  return {
      .name = "add",
      .covers = {"accumulate"},
      .samples = std::move(samples),
      .errors = std::move(errors),
      .dtypes = kAllTypes,
      .benchmarks = {elementwise_sample("1M", {{{1024, 1024}}, {{1024, 1024}}}, run, f),
                     elementwise_sample("1M + row", {{{1024, 1024}}, {{1024}}}, run, f)},
  };
}

namespace {

TEST(Accumulate, ReachesOnlyTheElementsOfAView) {
  const Tensor block = zeros({6}, Dtype::f16);
  const Tensor view = block.with_layout({3}, {2}, 0);
  accumulate_(view, ones({3}, Dtype::f16));
  EXPECT_EQ(cast(block, Dtype::f32).to_vector<float>(), (std::vector<float>{1, 0, 1, 0, 1, 0}));
}

// Sizes around those of the blocks, 16 x 64, in which operands that lie across the others are gathered.
TEST(Add, MeetsTransposedOperandsOfAnySize) {
  const auto row_major_of = [](const Tensor& x) { return x.is_contiguous() ? x : contiguous(x); };
  for (const Dtype dtype : {Dtype::f64, Dtype::f32, Dtype::bf16, Dtype::i32, Dtype::u8}) {
    for (const int64_t rows : {1, 15, 16, 17, 40}) {
      for (const int64_t columns : {5, 64, 65, 200}) {
        const Tensor a = cast(uniform({2, rows, columns}, 0, 50), dtype);
        const Tensor b = cast(uniform({2, columns, rows}, 0, 50), dtype);
        const Tensor across = transpose(b, 1, 2), column = slice(a, 2, {0, 1});
        const auto same = [&](const Tensor& x, const Tensor& y) {
          EXPECT_EQ(cast(row_major_of(x), Dtype::f64).to_vector<double>(),
                    cast(row_major_of(y), Dtype::f64).to_vector<double>())
              << to_string(dtype) << ' ' << rows << " x " << columns;
        };
        same(a + across, a + row_major_of(across));
        same(across + a, row_major_of(across) + a);
        same(across + column, row_major_of(across) + row_major_of(column));
        same(where(a < across, a, across), where(a < row_major_of(across), a, row_major_of(across)));
      }
    }
  }
}

}  // namespace
}  // namespace espalier::test
