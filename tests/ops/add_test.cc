#include "ops/add.h"

#include <gtest/gtest.h>

#include "ops/accumulate.h"
#include "ops/cast.h"
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

}  // namespace
}  // namespace espalier::test
