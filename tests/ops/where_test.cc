#include "ops/where.h"

#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "ops/compare.h"
#include "ops/log.h"
#include "ops/sum.h"
#include "tests/ops/elementwise_samples.h"
#include "tests/support/op_test.h"

namespace espalier::test {

OpTest where_test() {
  const auto run = [](Inputs in) { return where(in[0], in[1], in[2]); };
  const auto f = [](const std::vector<double>& x) { return x[0] != 0 ? x[1] : x[2]; };
  const auto condition = [](const Shape& shape) { return InputSpec{shape, 0, 2, Dtype::boolean}; };
  const auto sample = [&](std::string label, const Shape& c, const Shape& a, const Shape& b) {
    return elementwise_sample(std::move(label), {condition(c), {a}, {b}}, run, f);
  };
  return {
      .name = "where",
      .samples =
          {
              sample("same shape", {3, 5}, {3, 5}, {3, 5}),
              sample("longer than a tile", {2, 300}, {2, 300}, {2, 300}),
              sample("row of conditions", {7}, {4, 7}, {4, 7}),
              sample("column of conditions", {4, 1}, {4, 7}, {}),
              sample("one condition", {}, {3, 70}, {3, 70}),
              sample("all broadcast", {2, 1, 1}, {3, 1}, {1, 70}),
              sample("scalars", {}, {}, {}),
              sample("empty", {0, 3}, {1, 3}, {}),
              elementwise_sample(
                  "a number where not", {condition({20}), {{20}}},
                  [](Inputs in) { return where(in[0], in[1], 1); },
                  [](const std::vector<double>& x) { return x[0] != 0 ? x[1] : 1; }),
              elementwise_sample(
                  "a number where it holds", {condition({20}), {{20}}},
                  [](Inputs in) { return where(in[0], 1, in[1]); },
                  [](const std::vector<double>& x) { return x[0] != 0 ? 1 : x[1]; }),
              elementwise_sample(
                  "masked_fill", {{{4, 7}}, condition({7})},
                  [](Inputs in) { return masked_fill(in[0], in[1], 1); },
                  [](const std::vector<double>& x) { return x[1] != 0 ? 1 : x[0]; }),
          },
      .errors =
          {
              {"a condition that is not bool",
               [] { where(zeros({2}), zeros({2}), zeros({2})); },
               "TypeError",
               {"where", "f32[2], f32[2], f32[2]", "compare"}},
              {"shapes that do not broadcast",
               [] { where(zeros({2}, Dtype::boolean), zeros({2, 3}), zeros({2, 1})); },
               "ShapeError",
               {"where", "[2]", "[2, 3]"}},
              {"an 8-bit float and another type",
               [] { where(ones({2}, Dtype::boolean), zeros({2}, Dtype::f8_e4m3), zeros({2})); },
               "TypeError",
               {"where", "f8_e4m3", "f32"}},
              {"no condition", [] { where(Tensor(), 1, 2); }, "ValueError", {"where", "undefined"}},
              {"a fraction among integers",
               [] { masked_fill(zeros({2}, Dtype::i32), ones({2}, Dtype::boolean), 0.5); },
               "ValueError",
               {"masked_fill", "0.5", "i32"}},
          },
      .dtypes = kStoredTypes,
      .tolerance = 0,
      .benchmarks = {sample("1000", {1000}, {1000}, {1000}),
                     sample("64K", {256, 256}, {256, 256}, {256, 256}),
                     sample("1M", {1024, 1024}, {1024, 1024}, {1024, 1024}),
                     sample("causal mask", {512, 512}, {8, 512, 512}, {})},
  };
}

namespace {

TEST(Where, KeepsTheBitsOfWhatItMoves) {
  const Tensor x = empty({9}, Dtype::f32);
  auto* const bits = static_cast<uint32_t*>(x.raw_data());
  for (uint32_t i = 0; i < 9; ++i) bits[i] = 0x7F800001 + i;  // signalling NaN, each its own
  const Tensor y = where(ones({9}, Dtype::boolean), x, 0);
  for (uint32_t i = 0; i < 9; ++i) EXPECT_EQ(static_cast<const uint32_t*>(y.raw_data())[i], 0x7F800001 + i);
}

TEST(Where, PromotesAsTorchDoes) {
  const Tensor condition = from_values<bool>({true, false}, {2});
  EXPECT_EQ(where(condition, 1.5, 2).dtype(), Dtype::f32);
  EXPECT_EQ(where(condition, 1, 2).dtype(), Dtype::i64);
  EXPECT_EQ(where(condition, true, false).dtype(), Dtype::boolean);
  EXPECT_EQ(where(condition, zeros({2}, Dtype::i64), 0.5).dtype(), Dtype::f32);
  EXPECT_EQ(where(condition, zeros({2}, Dtype::f16), 0.5).dtype(), Dtype::f16);
}

TEST(Where, LetsNoGradientPassWhereAnElementWasNotTaken) {
  const Tensor x = requires_grad_(from_values<float>({0, 4}, {2}));
  // ln 0 has an infinite slope, which is not taken.
  backward(sum(where(x > 0, log(where(x > 0, x, 1)), 0)));
  EXPECT_EQ(x.grad().to_vector<float>(), (std::vector<float>{0, 0.25F}));
}

}  // namespace
}  // namespace espalier::test
