#include "ops/global_norm.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/parallel.h"
#include "tests/support/op_test.h"
#include "tests/support/special_values.h"

namespace espalier::test {
namespace {

using testing::ElementsAre;

OpSample norm(std::string label, const std::vector<Shape>& shapes) {
  std::vector<InputSpec> inputs;
  for (const Shape& shape : shapes) inputs.push_back({shape});
  return {std::move(label), std::move(inputs), [](Inputs in) { return Tensors{global_norm(in)}; },
          [](const Arrays& in) {
            long double sum = 0;  // one row of 9000 additions in double would be off by more than the kernel
            for (const Array& array : in) {
              for (const long double x : array.values) sum += x * x;
            }
            Array result;
            result[0] = static_cast<double>(std::sqrt(sum));
            return Arrays{result};
          }};
}

OpSample by_norm(std::string label, const Shape& shape, double max_norm, double norm) {
  return {std::move(label),
          {{shape}, {{}, norm, norm, Dtype::f64}},
          [=](Inputs in) {
            clip_by_norm_(in[0], in[1], max_norm);
            return Tensors{in[0]};
          },
          [=](const Arrays& in) {
            Array result = in[0];
            for (double& x : result.values) x *= std::min(1.0, max_norm / (in[1][0] + 1e-6));
            return Arrays{result};
          }};
}

OpSample by_value(std::string label, const Shape& shape, double limit) {
  return {std::move(label),
          {{shape}},
          [=](Inputs in) {
            clip_by_value_(in[0], limit);
            return Tensors{in[0]};
          },
          [=](const Arrays& in) {
            Array result = in[0];
            for (double& x : result.values) x = std::clamp(x, -limit, limit);
            return Arrays{result};
          }};
}

TEST(GlobalNorm, SquaresOfLargeFloatsDoNotOverflow) {
  const Tensor large[] = {full({2}, 3e30F), full({1}, 4e30F), full({1}, 0.0F)};
  EXPECT_FLOAT_EQ(static_cast<float>(global_norm(large).item()), std::sqrt(34.0F) * 1e30F);
}

TEST(GlobalNorm, NanAndInfinityShow) {
  const Tensor infinite[] = {from_values<float>({1, -INFINITY}, {2})};
  EXPECT_EQ(global_norm(infinite).item(), kInfinity);
  const Tensor none[] = {from_values<float>({1, NAN}, {2})};
  EXPECT_TRUE(std::isnan(global_norm(none).item()));
}

TEST(GlobalNorm, TypesMayBeMixedAndThreadsDoNotMatter) {
  const Tensor mixed[] = {full({100000}, 0.1F), full({3}, 2, Dtype::bf16), full({2, 2}, 3, Dtype::f64)};
  const ThreadCountGuard one(1);
  const double alone = global_norm(mixed).item();
  EXPECT_NEAR(alone, std::sqrt(100000 * 0.01 + 12 + 36), 1e-6);
  const ThreadCountGuard three(3);
  EXPECT_EQ(global_norm(mixed).item(), alone);
}

TEST(ClipByNorm, NormsThatAreNotFinite) {
  const auto clipped = [](double norm) {
    const Tensor x = from_values<float>({1, -2}, {2});
    clip_by_norm_(x, full({}, norm, Dtype::f64), 1);
    return x.to_vector<float>();
  };
  EXPECT_THAT(clipped(kInfinity), ElementsAre(0.0F, -0.0F));
  EXPECT_THAT(clipped(kNan), ElementsAre(testing::IsNan(), testing::IsNan()));
  EXPECT_THAT(clipped(0.5), ElementsAre(1.0F, -2.0F));
}

TEST(ClipByValue, NanStays) {
  const Tensor x = from_values<float>({NAN, INFINITY, -INFINITY, -0.0F}, {4});
  clip_by_value_(x, 2);
  EXPECT_THAT(x.to_vector<float>(), ElementsAre(testing::IsNan(), 2.0F, -2.0F, 0.0F));
}

}  // namespace

OpTest global_norm_test() {
  return {
      .name = "global_norm",
      .samples = {norm("one", {{3, 5}}), norm("several", {{3, 5}, {}, {0, 4}, {70}, {2, 3, 2, 2}}),
                  norm("longer than a block", {{9000}, {17}})},
      .errors = {{"no tensors", [] { global_norm({}); }, "ValueError", {"global_norm", "no tensors"}},
                 {"an undefined tensor",
                  [] {
                    const Tensor absent;
                    global_norm({&absent, 1});
                  },
                  "ValueError",
                  {"global_norm", "undefined"}}},
      .differentiable = false,
      .twice_differentiable = false,
      .benchmarks = {norm("4096", {{64, 64}}), norm("1M", {{1024, 1024}})},
  };
}

OpTest clip_by_norm_test() {
  return {
      .name = "clip_by_norm",
      .samples = {by_norm("above", {3, 5}, 0.5, 2), by_norm("below", {300}, 2, 0.5),
                  by_norm("to nothing", {7}, 0, 1), by_norm("scalar", {}, 1, 3),
                  by_norm("empty", {0, 2}, 1, 3)},
      .errors = {{"a negative norm",
                  [] { clip_by_norm_(zeros({2}), full({}, 1), -1); },
                  "ValueError",
                  {"clip_by_norm", "greatest norm is -1"}},
                 {"a norm that is none",
                  [] { clip_by_norm_(zeros({2}), full({}, 1), kNan); },
                  "ValueError",
                  {"clip_by_norm", "nan"}},
                 {"norms",
                  [] { clip_by_norm_(zeros({2}), zeros({2}), 1); },
                  "ShapeError",
                  {"clip_by_norm", "norm is f32[2]"}}},
      .differentiable = false,
      .twice_differentiable = false,
      .benchmarks = {by_norm("4096", {64, 64}, 0.5, 2), by_norm("1M", {1024, 1024}, 0.5, 2)},
  };
}

OpTest clip_by_value_test() {
  return {
      .name = "clip_by_value",
      .samples = {by_value("matrix", {3, 5}, 0.5), by_value("longer than a tile", {300}, 1),
                  by_value("to nothing", {7}, 0), by_value("scalar", {}, 1), by_value("empty", {0, 2}, 1)},
      .errors = {{"a negative limit",
                  [] { clip_by_value_(zeros({2}), -0.5); },
                  "ValueError",
                  {"clip_by_value", "limit is -0.5"}},
                 {"a limit that is none",
                  [] { clip_by_value_(zeros({2}), kNan); },
                  "ValueError",
                  {"clip_by_value", "nan"}}},
      .differentiable = false,
      .twice_differentiable = false,
      .benchmarks = {by_value("4096", {64, 64}, 0.5), by_value("1M", {1024, 1024}, 0.5)},
  };
}

}  // namespace espalier::test
