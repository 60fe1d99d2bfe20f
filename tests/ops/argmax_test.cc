#include "ops/argmax.h"

#include <algorithm>
#include <limits>

#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "tests/ops/reduction_samples.h"
#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

/// The place of the first of the largest (or smallest) elements.
double place_of(const std::vector<double>& x, bool largest) {
  const auto place = largest ? std::max_element(x.begin(), x.end()) : std::min_element(x.begin(), x.end());
  return static_cast<double>(place - x.begin());
}

double extreme_of(const std::vector<double>& x, bool largest) {
  return x[static_cast<size_t>(place_of(x, largest))];
}

using MakeSample = std::function<OpSample(std::string, const Shape&, int64_t, bool)>;

MakeSample index_sample(bool largest) {
  return [=](std::string label, const Shape& shape, int64_t axis, bool keepdim) {
    return OpSample{
        std::move(label),
        {{shape, -2, 2, {}, false}},
        [=](Inputs in) {
          return Tensors{largest ? argmax(in[0], axis, keepdim) : argmin(in[0], axis, keepdim)};
        },
        [=](const Arrays& in) {
          return Arrays{reduced(in[0], {axis}, keepdim, [=](const auto& x) { return place_of(x, largest); })};
        }};
  };
}

MakeSample element_sample(bool largest) {
  return [=](std::string label, const Shape& shape, int64_t axis, bool keepdim) {
    InputSpec input{shape};
    input.differentiable = count(shape) <= 150;  // differences take a run for each element
    return OpSample{std::move(label),
                    {input},
                    [=](Inputs in) {
                      const auto found = largest ? max_with_indices(in[0], axis, keepdim)
                                                 : min_with_indices(in[0], axis, keepdim);
                      return Tensors{found.values, found.indices};
                    },
                    [=](const Arrays& in) {
                      const auto with = [&](auto f) {
                        return reduced(in[0], {axis}, keepdim, [=](const auto& x) { return f(x, largest); });
                      };
                      return Arrays{with(extreme_of), with(place_of)};
                    }};
  };
}

OpTest search_test(const std::string& name, const MakeSample& sample,
                   const std::function<void(const Tensor&, int64_t)>& run) {
  return {
      .name = name,
      .samples = {sample("rows", {4, 37}, -1, false), sample("narrow columns", {9, 5}, 0, false),
                  sample("columns", {9, 21}, 0, false), sample("the middle", {3, 7, 5}, 1, false),
                  sample("wide, in the middle", {2, 3, 2, 9}, 1, false), sample("kept", {3, 7, 5}, -2, true),
                  sample("several blocks", {2, 1500}, 1, false),
                  sample("several chunks of columns", {3, 300}, 0, true),
                  sample("no slices", {0, 3}, 1, false)},
      .errors =
          {
              {"an axis that is not there", [=] { run(zeros({2, 3}), 2); }, "ShapeError", {name, "axis 2"}},
              {"an axis without elements",
               [=] { run(zeros({2, 0}), -1); },
               "ShapeError",
               {name, "f32[2, 0]", "axis 1"}},
              {"no tensor", [=] { run(Tensor(), 0); }, "ValueError", {name, "undefined"}},
          },
      .dtypes = kAllTypes,
      .tolerance = 0,
      .benchmarks = {sample("digits", {128, 10}, 1, false), sample("vocabulary", {256, 50257}, 1, false),
                     sample("columns", {768, 512}, 0, false)},
  };
}

OpTest without_gradient(OpTest test) {
  test.differentiable = test.twice_differentiable = false;
  return test;
}

}  // namespace

OpTest argmax_test() {
  return without_gradient(
      search_test("argmax", index_sample(true), [](const Tensor& x, int64_t axis) { argmax(x, axis); }));
}

OpTest argmin_test() {
  return without_gradient(
      search_test("argmin", index_sample(false), [](const Tensor& x, int64_t axis) { argmin(x, axis); }));
}

OpTest max_with_indices_test() {
  return search_test("max_with_indices", element_sample(true),
                     [](const Tensor& x, int64_t axis) { max_with_indices(x, axis); });
}

OpTest min_with_indices_test() {
  return search_test("min_with_indices", element_sample(false),
                     [](const Tensor& x, int64_t axis) { min_with_indices(x, axis); });
}

namespace {

TEST(Argmax, FindsTheFirstNan) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Tensor row = from_values<float>({1, nan, 5, nan}, {4});
  EXPECT_EQ(argmax(row).item(), 1);
  EXPECT_EQ(argmin(row).item(), 1);
  // Side by side: NaN first, last and in the middle.
  std::vector<float> columns(48, 2);
  columns[0] = columns[16] = columns[16 + 1] = columns[32 + 1] = columns[32 + 2] = nan;
  const auto found = max_with_indices(from_values<float>(columns, {3, 16}), 0);
  const auto indices = found.indices.to_vector<int64_t>();
  const auto values = found.values.to_vector<float>();
  for (size_t i = 0; i < 16; ++i) {
    EXPECT_EQ(indices[i], i < 3 ? static_cast<int64_t>(i) : 0);
    EXPECT_EQ(values[i] != values[i], i < 3);
  }
}

TEST(Argmax, FindsInfinitiesAmongThemselves) {
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(argmax(full({300}, -infinity)).item(), 0);
  EXPECT_EQ(argmin(full({300}, infinity)).item(), 0);
}

TEST(MaxWithIndices, SendsTheGradientToTheElementItPicked) {
  const Tensor x = requires_grad_(from_values<float>({3, 1, 3, 3, 2, 5}, {2, 3}));
  backward(max_with_indices(x, 1).values, from_values<float>({6, 7}, {2}));
  EXPECT_EQ(x.grad().to_vector<float>(), (std::vector<float>{6, 0, 0, 0, 0, 7}));
}

}  // namespace
}  // namespace espalier::test
