#include "ops/max.h"

#include <algorithm>
#include <limits>

#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "tests/ops/reduction_samples.h"
#include "tests/support/op_test.h"

namespace espalier::test {

OpTest max_test() {
  const auto run = [](const Tensor& input, const Dims& axes, bool keepdim) {
    return max(input, axes, keepdim);
  };
  return {
      .name = "max",
      .samples = reduction_samples(
          run, [](const std::vector<double>& x) { return *std::max_element(x.begin(), x.end()); }, false),
      .errors =
          {
              {"an axis that is not there", [] { max(zeros({2, 3}), {2}); }, "ShapeError", {"max", "axis 2"}},
              {"an axis without elements",
               [] { max(zeros({2, 0}), {1}); },
               "ShapeError",
               {"max", "f32[2, 0]", "axis 1"}},
              {"no tensor", [] { max(Tensor()); }, "ValueError", {"max", "undefined"}},
          },
      .dtypes = kAllTypes,
      .tolerance = 0,
      .benchmarks = reduction_benchmarks(run),
  };
}

OpTest min_test() {
  const auto run = [](const Tensor& input, const Dims& axes, bool keepdim) {
    return min(input, axes, keepdim);
  };
  return {
      .name = "min",
      .samples = reduction_samples(
          run, [](const std::vector<double>& x) { return *std::min_element(x.begin(), x.end()); }, false),
      .errors =
          {
              {"an axis that is not there", [] { min(zeros({2, 3}), {2}); }, "ShapeError", {"min", "axis 2"}},
              {"an axis without elements",
               [] { min(zeros({2, 0}), {1}); },
               "ShapeError",
               {"min", "f32[2, 0]", "axis 1"}},
              {"no tensor", [] { min(Tensor()); }, "ValueError", {"min", "undefined"}},
          },
      .dtypes = kAllTypes,
      .tolerance = 0,
      .benchmarks = reduction_benchmarks(run),
  };
}

namespace {

using Extremum = Tensor (*)(const Tensor&, const Dims&, bool);

TEST(Extremum, IsNanWhereAnElementIs) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  Tensor input = zeros({3, 2000});
  for (int64_t place : {0, 2999, 5999}) input.mutable_data<float>()[place] = nan;
  for (const Extremum f : {Extremum(max), Extremum(min)}) {
    for (const float value : f(input, {1}, false).to_vector<float>()) EXPECT_NE(value, value);
    EXPECT_EQ(f(input, {0}, false).to_vector<float>()[1], 0);
  }
}

TEST(Extremum, SharesTheGradientAmongEqualElements) {
  const Tensor x = requires_grad_(from_values<float>({3, 1, 3, 3, 2, 5}, {2, 3}));
  backward(max(x, {1}), from_values<float>({6, 7}, {2}));
  EXPECT_EQ(x.grad().to_vector<float>(), (std::vector<float>{3, 0, 3, 0, 0, 7}));
  const Tensor y = requires_grad_(from_values<float>({1, 3, 1, 3, 2, 5}, {2, 3}));
  backward(min(y, {1}), from_values<float>({6, 7}, {2}));
  EXPECT_EQ(y.grad().to_vector<float>(), (std::vector<float>{3, 0, 3, 0, 7, 0}));
}

}  // namespace
}  // namespace espalier::test
