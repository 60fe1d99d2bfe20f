#include "ops/argmax.h"

#include <algorithm>
#include <limits>

#include <gtest/gtest.h>

#include "tests/ops/reduction_samples.h"
#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

OpSample sample(std::string label, const Shape& shape, int64_t axis, bool keepdim = false) {
  return {std::move(label),
          {{shape, -2, 2, {}, false}},
          [=](Inputs in) { return Tensors{argmax(in[0], axis, keepdim)}; },
          [=](const Arrays& in) {
            return Arrays{reduced(in[0], {axis}, keepdim, [](const std::vector<double>& x) {
              return static_cast<double>(std::max_element(x.begin(), x.end()) - x.begin());
            })};
          }};
}

}  // namespace

OpTest argmax_test() {
  return {
      .name = "argmax",
      .samples = {sample("rows", {4, 37}, -1), sample("columns", {9, 5}, 0),
                  sample("the middle", {3, 7, 5}, 1), sample("kept", {3, 7, 5}, -2, true),
                  sample("several blocks", {2, 1500}, 1), sample("no slices", {0, 3}, 1)},
      .errors =
          {
              {"an axis that is not there",
               [] { argmax(zeros({2, 3}), 2); },
               "ShapeError",
               {"argmax", "axis 2"}},
              {"an axis without elements",
               [] { argmax(zeros({2, 0})); },
               "ShapeError",
               {"argmax", "f32[2, 0]", "axis 1"}},
              {"no tensor", [] { argmax(Tensor()); }, "ValueError", {"argmax", "undefined"}},
          },
      .dtypes = kAllTypes,
      .tolerance = 0,
      .differentiable = false,
      .twice_differentiable = false,
      .benchmarks = {sample("digits", {128, 10}, 1), sample("vocabulary", {256, 50257}, 1)},
  };
}

namespace {

TEST(Argmax, FindsTheFirstNan) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(argmax(from_values<float>({1, nan, 5, nan}, {4})).item(), 1);
}

}  // namespace
}  // namespace espalier::test
