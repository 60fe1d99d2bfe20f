#include "ops/adaptive_pool2d.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ops/pool1d.h"
#include "tests/ops/images.h"
#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

/// Calls `f(y, x)` for each element x of the window of each element y, in order.
template <class F>
void for_each_pair(const Shape& image, const Shape& pooled, const F& f) {
  const auto first = [](int64_t i, int64_t size, int64_t windows) {
    return static_cast<int64_t>(std::floor(static_cast<double>(i * size) / static_cast<double>(windows)));
  };
  const auto last = [](int64_t i, int64_t size, int64_t windows) {
    return static_cast<int64_t>(
        std::ceil(static_cast<double>((i + 1) * size) / static_cast<double>(windows)));
  };
  for_each_index(pooled, [&](const Dims& y) {
    for (int64_t i = first(y[2], image[2], pooled[2]); i < last(y[2], image[2], pooled[2]); ++i) {
      for (int64_t j = first(y[3], image[3], pooled[3]); j < last(y[3], image[3], pooled[3]); ++j)
        f(y, Dims{y[0], y[1], i, j});
    }
  });
}

OpSample adaptive_pool_average(std::string label, const Shape& x, Size2d size) {
  return {std::move(label),
          {{x}},
          [=](Inputs in) { return Tensors{adaptive_avg_pool2d(in[0], size)}; },
          [=](const Arrays& in) {
            Array sums({x[0], x[1], size.height, size.width}), counts(sums.shape);
            for_each_pair(x, sums.shape, [&](const Dims& i, const Dims& from) {
              sums.at(i) += in[0].at(from);
              counts.at(i) += 1;
            });
            for_each_index(sums.shape, [&](const Dims& i) { sums.at(i) /= counts.at(i); });
            return Arrays{sums};
          }};
}

OpSample largest(std::string label, const Shape& x, Size2d size) {
  return {std::move(label),
          {{x}},
          [=](Inputs in) {
            const auto [y, indices] = adaptive_max_pool2d_with_indices(in[0], size);
            return Tensors{y, indices};
          },
          [=](const Arrays& in) {
            Array y({x[0], x[1], size.height, size.width}), indices(y.shape);
            for (double& value : y.values) value = -std::numeric_limits<double>::infinity();
            for_each_pair(x, y.shape, [&](const Dims& i, const Dims& from) {
              if (in[0].at(from) <= y.at(i)) return;
              y.at(i) = in[0].at(from);
              indices.at(i) = static_cast<double>(from[2] * x[3] + from[3]);
            });
            return Arrays{y, indices};
          }};
}

std::vector<OpSample> adaptive_pool_samples(OpSample (*sample)(std::string, const Shape&, Size2d)) {
  return in_both_layouts({
      sample("windows that overlap", {2, 3, 5, 7}, Size2d(3, 2)),
      sample("windows that tile", {2, 3, 4, 6}, 2),
      sample("more windows than elements", {1, 2, 3, 2}, Size2d(5, 3)),
      sample("one window", {2, 2, 3, 5}, 1),
      sample("one side tiles", {1, 2, 4, 5}, Size2d(2, 3)),
      sample("no windows", {2, 3, 5, 4}, Size2d(0, 2)),
      sample("no images", {0, 3, 5, 4}, 3),
  });
}

std::vector<OpError> adaptive_pool_errors(const std::string& name, void (*run)(const Tensor&, Size2d)) {
  return {
      {"rank", [=] { run(zeros({3, 4, 5}), 3); }, "ShapeError", {name, "f32[3, 4, 5]", "N, C, H, W"}},
      {"no rows", [=] { run(zeros({1, 2, 0, 5}), 3); }, "ShapeError", {name, "0x5", "f32[1, 2, 0, 5]"}},
      {"a negative size", [=] { run(zeros({1, 2, 4, 5}), {3, -1}); }, "ValueError", {name, "3x-1"}},
      {"no tensor", [=] { run(Tensor(), 3); }, "ValueError", {name, "undefined"}},
  };
}

}  // namespace

OpTest adaptive_avg_pool2d_test() {
  std::vector<OpError> wrong = adaptive_pool_errors(
      "adaptive_avg_pool2d", [](const Tensor& x, Size2d size) { adaptive_avg_pool2d(x, size); });
  wrong.push_back({"a gradient on images without rows",
                   [] { apply_one(AdaptiveAvgPool2dBackward({0, 3}), zeros({1, 2, 2, 2})); },
                   "ShapeError",
                   {"adaptive_avg_pool2d_backward", "0x3"}});
  return {.name = "adaptive_avg_pool2d",
          .covers = {"adaptive_avg_pool2d_backward"},
          .samples = adaptive_pool_samples(adaptive_pool_average),
          .errors = wrong,
          .benchmarks = {adaptive_pool_average("32x256x13x13 to 6x6", {32, 256, 13, 13}, 6),
                         adaptive_pool_average("32x512x7x7 to 1x1", {32, 512, 7, 7}, 1)}};
}

OpTest adaptive_max_pool2d_test() {
  return {.name = "adaptive_max_pool2d",
          .samples = adaptive_pool_samples(largest),
          .errors = adaptive_pool_errors("adaptive_max_pool2d",
                                         [](const Tensor& x, Size2d size) { adaptive_max_pool2d(x, size); }),
          .benchmarks = {largest("32x256x13x13 to 6x6", {32, 256, 13, 13}, 6)}};
}

namespace {

using testing::ElementsAre;

TEST(AdaptiveMaxPool2d, TakesTheFirstOfEqualsAndNan) {
  const float nan = std::nanf(""), low = -std::numeric_limits<float>::infinity();
  const auto [y, indices] = adaptive_max_pool2d_with_indices(
      from_values<float>({7, 7, low, low, 1, nan, 3, 2, low, low}, {1, 2, 1, 5}), Size2d(1, 2));
  EXPECT_THAT(y.to_vector<float>(), ElementsAre(7, 1, testing::IsNan(), 2));
  EXPECT_THAT(indices.to_vector<int32_t>(), ElementsAre(0, 4, 0, 2));
  EXPECT_THAT(
      adaptive_max_pool2d_with_indices(full({1, 1, 1, 3}, low), Size2d(1, 2)).second.to_vector<int32_t>(),
      ElementsAre(0, 1));
}

TEST(Pool1d, PoolsSignals) {
  const Tensor x = from_values<float>({1, 5, 3, 2, 8}, {1, 1, 5});
  EXPECT_THAT(avg_pool1d(x, 2).to_vector<float>(), ElementsAre(3, 2.5F));
  EXPECT_THAT(avg_pool1d(x, 2, {.stride = 3, .padding = 1, .count_include_pad = false}).to_vector<float>(),
              ElementsAre(1, 2.5F));
  EXPECT_THAT(max_pool1d(x, 2, {.stride = 1, .dilation = 3}).to_vector<float>(), ElementsAre(2, 8));
  EXPECT_THAT(max_pool1d(x, 2, {.padding = 1}).to_vector<float>(), ElementsAre(1, 5, 8));
  EXPECT_THAT(adaptive_avg_pool1d(x, 2).to_vector<float>(), ElementsAre(3, testing::FloatEq(13.0F / 3)));
  EXPECT_THAT(adaptive_max_pool1d(x, 3).to_vector<float>(), ElementsAre(5, 5, 8));
  EXPECT_THROW(avg_pool1d(zeros({2, 3}), 2), ShapeError);
  EXPECT_THROW(max_pool1d(Tensor(), 2), ValueError);
}

}  // namespace
}  // namespace espalier::test
