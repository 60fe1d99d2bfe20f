#include "ops/sort.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

/// The first `k` elements of every slice in order, and their places.
Arrays ordered(const Array& x, int axis, bool descending, int64_t k) {
  Shape shape = x.shape;
  if (shape.rank() > 0) shape[axis] = k;
  Array values(shape), places(shape);
  for_each_index(shape, [&](const Dims& index) {
    if (index.rank() > 0 && index[axis] > 0) return;
    const auto element = [&](int64_t i) {
      Dims at = index;
      if (at.rank() > 0) at[axis] = i;
      return x.at(at);
    };
    std::vector<int64_t> order(static_cast<size_t>(x.shape.rank() > 0 ? x.shape[axis] : 1));
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
      return descending ? element(a) > element(b) : element(a) < element(b);
    });
    for (int64_t i = 0; i < k; ++i) {
      Dims at = index;
      if (at.rank() > 0) at[axis] = i;
      places.at(at) = static_cast<double>(order[static_cast<size_t>(i)]);
      values.at(at) = element(order[static_cast<size_t>(i)]);
    }
  });
  return {values, places};
}

/// Numbers so far apart that steps for differences do not change their order, and ties among integers.
InputSpec input(const Shape& shape) {
  InputSpec spec{shape, -100, 100};
  spec.differentiable = count(shape) <= 100;  // differences take a run for each element
  return spec;
}

OpSample sort_sample(std::string label, const Shape& shape, int axis, bool descending = false) {
  return {
      std::move(label),
      {input(shape)},
      [=](Inputs in) {
        const auto sorted = sort(in[0], axis, descending);
        return Tensors{sorted.values, sorted.indices};
      },
      [=](const Arrays& in) { return ordered(in[0], axis, descending, shape.rank() > 0 ? shape[axis] : 1); }};
}

OpSample topk_sample(std::string label, const Shape& shape, int64_t k, int axis, bool largest = true) {
  return {std::move(label),
          {input(shape)},
          [=](Inputs in) {
            const auto found = topk(in[0], k, axis, largest);
            return Tensors{found.values, found.indices};
          },
          [=](const Arrays& in) { return ordered(in[0], axis, largest, k); }};
}

}  // namespace

OpTest sort_test() {
  return {
      .name = "sort",
      .samples = {sort_sample("rows", {4, 7}, 1), sort_sample("descending", {3, 11}, 1, true),
                  sort_sample("columns", {9, 4}, 0), sort_sample("the middle", {2, 6, 3}, 1, true),
                  sort_sample("by radix", {3, 1000}, 1),
                  sort_sample("by radix, descending", {2, 300}, 1, true),
                  sort_sample("columns by radix", {700, 3}, 0), sort_sample("a scalar", {}, 0),
                  sort_sample("one element each", {3, 1}, 1), sort_sample("nothing", {3, 0}, 1),
                  sort_sample("no slices", {0, 3}, 1)},
      .errors =
          {
              {"an axis that is not there", [] { sort(zeros({2, 3}), 2); }, "ShapeError", {"sort", "axis 2"}},
              {"no tensor", [] { sort(Tensor()); }, "ValueError", {"sort", "undefined"}},
          },
      .dtypes = kAllTypes,
      .tolerance = 0,
      .benchmarks = {sort_sample("small", {128, 10}, 1), sort_sample("short rows", {65536, 16}, 1),
                     sort_sample("rows", {1024, 1024}, 1), sort_sample("columns", {1024, 1024}, 0),
                     sort_sample("a row", {1 << 20}, 0)},
  };
}

OpTest topk_test() {
  return {
      .name = "topk",
      .samples = {topk_sample("rows", {4, 7}, 3, 1), topk_sample("smallest", {4, 7}, 2, 1, false),
                  topk_sample("columns", {9, 4}, 2, 0), topk_sample("the middle", {2, 6, 3}, 1, 1),
                  topk_sample("all", {3, 5}, 5, 1), topk_sample("none", {3, 5}, 0, 1),
                  topk_sample("few of many", {2, 3000}, 10, 1),
                  topk_sample("many of many", {2, 3000}, 1000, 1, false), topk_sample("a scalar", {}, 1, 0),
                  topk_sample("no slices", {0, 3}, 2, 1)},
      .errors =
          {
              {"an axis that is not there",
               [] { topk(zeros({2, 3}), 1, 2); },
               "ShapeError",
               {"topk", "axis 2"}},
              {"more than there are",
               [] { topk(zeros({2, 3}), 4); },
               "ShapeError",
               {"topk", "4", "3", "f32[2, 3]"}},
              {"fewer than none", [] { topk(zeros({2, 3}), -1); }, "ShapeError", {"topk", "-1", "f32[2, 3]"}},
              {"a place before the first",
               [] { kth_value(zeros({2, 3}), 0); },
               "ShapeError",
               {"kth_value", "0", "f32[2, 3]"}},
              {"no tensor", [] { topk(Tensor(), 1); }, "ValueError", {"topk", "undefined"}},
          },
      .dtypes = kAllTypes,
      .tolerance = 0,
      .benchmarks = {topk_sample("the next word", {256, 50257}, 1, 1),
                     topk_sample("candidates for the next word", {256, 50257}, 50, 1),
                     topk_sample("top-5 classes", {128, 1000}, 5, 1),
                     topk_sample("half", {1024, 1024}, 512, 1), topk_sample("a row", {1 << 20}, 100, 0)},
  };
}

namespace {

// As torch.sort(stable=True).
TEST(Sort, PutsNanLastAndKeepsEqualElementsInOrder) {
  const Tensor x = from_values<float>({1, NAN, -0.0F, 0, INFINITY, -INFINITY, -NAN}, {7});
  EXPECT_EQ(argsort(x).to_vector<int64_t>(), (std::vector<int64_t>{5, 2, 3, 0, 4, 1, 6}));
  EXPECT_EQ(argsort(x, 0, true).to_vector<int64_t>(), (std::vector<int64_t>{1, 6, 4, 0, 2, 3, 5}));
  EXPECT_EQ(topk(x, 3).indices.to_vector<int64_t>(), (std::vector<int64_t>{1, 6, 4}));
  EXPECT_TRUE(std::signbit(sort(x).values.to_vector<float>()[1]));  // -0 stays what it is
}

TEST(Sort, IsStableAmongMany) {
  std::vector<int64_t> few(5000);
  for (size_t i = 0; i < few.size(); ++i) few[i] = static_cast<int64_t>(i * 7 % 3);
  for (const bool descending : {false, true}) {
    const auto [values, indices] = sort(from_values(few, {5000}), 0, descending);
    const auto v = values.to_vector<int64_t>(), at = indices.to_vector<int64_t>();
    for (size_t i = 1; i < v.size(); ++i) {
      if (v[i - 1] == v[i]) {
        EXPECT_LT(at[i - 1], at[i]);
      }
      EXPECT_TRUE(descending ? v[i - 1] >= v[i] : v[i - 1] <= v[i]);
    }
  }
}

TEST(Sort, TakesExtremeIntegers) {
  std::vector<int64_t> x(400, 0);
  for (size_t i = 0; i < x.size(); ++i)
    x[i] = i % 2 == 0 ? INT64_MAX - static_cast<int64_t>(i) : INT64_MIN + static_cast<int64_t>(i);
  std::vector<int64_t> expected = x;
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(sort(from_values(x, {400})).values.to_vector<int64_t>(), expected);
  const auto three = topk(from_values(x, {400}), 3, 0, false).values.to_vector<int64_t>();
  EXPECT_EQ(three, (std::vector<int64_t>(expected.begin(), expected.begin() + 3)));
}

TEST(TopK, TakesTheFirstOfEqualElements) {
  EXPECT_EQ(topk(zeros({3000}), 3).indices.to_vector<int64_t>(), (std::vector<int64_t>{0, 1, 2}));
}

TEST(TopK, SendsTheGradientBack) {
  const Tensor x = requires_grad_(from_values<float>({3, 1, 2, 5}, {4}));
  backward(topk(x, 2).values, from_values<float>({10, 20}, {2}));
  EXPECT_EQ(x.grad().to_vector<float>(), (std::vector<float>{20, 0, 0, 10}));
}

TEST(KthValue, CountsFromTheSmallest) {
  const Tensor x = requires_grad_(from_values<float>({3, 1, 2, 6, 5, 4}, {2, 3}));
  const auto [values, indices] = kth_value(x, 2, 1);
  EXPECT_EQ(values.to_vector<float>(), (std::vector<float>{2, 5}));
  EXPECT_EQ(indices.to_vector<int64_t>(), (std::vector<int64_t>{2, 1}));
  EXPECT_EQ(to_string(kth_value(x, 1, 0, true).values.shape()), "[1, 3]");
  backward(values, ones({2}));
  EXPECT_EQ(x.grad().to_vector<float>(), (std::vector<float>{0, 0, 1, 0, 1, 0}));
}

}  // namespace
}  // namespace espalier::test
