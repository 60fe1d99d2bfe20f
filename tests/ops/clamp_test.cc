#include "ops/clamp.h"

#include <cmath>

#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "tests/ops/elementwise_samples.h"
#include "tests/support/op_test.h"

namespace espalier::test {

OpTest clamp_test() {
  const auto both = [](const Tensor& x) { return clamp(x, -1, 1); };
  std::vector<OpSample> samples = unary_samples(both, [](double x) { return std::clamp(x, -1.0, 1.0); });
  samples.push_back(elementwise_sample(
      "low alone", {{{3, 37}}}, [](Inputs in) { return clamp(in[0], 0, {}); },
      [](const std::vector<double>& x) { return std::max(x[0], 0.0); }));
  samples.push_back(elementwise_sample(
      "high alone", {{{3, 37}}}, [](Inputs in) { return clamp(in[0], {}, 1); },
      [](const std::vector<double>& x) { return std::min(x[0], 1.0); }));
  samples.push_back(elementwise_sample(
      "low above high", {{{20}}}, [](Inputs in) { return clamp(in[0], 2, 1); },
      [](const std::vector<double>&) { return 1; }));
  return {
      .name = "clamp",
      .covers = {"clamp_backward"},
      .samples = std::move(samples),
      .errors = {{"no tensor", [] { clamp(Tensor(), 0, 1); }, "ValueError", {"clamp", "undefined"}},
                 {"no bound",
                  [] { clamp(zeros({2, 3}), std::optional<Scalar>(), std::nullopt); },
                  "ValueError",
                  {"clamp", "f32[2, 3]", "bound"}},
                 {"bounds that are bool",
                  [] { clamp(zeros({2}, Dtype::boolean), false, true); },
                  "TypeError",
                  {"clamp", "bool[2]"}}},
      .dtypes = kAllTypes,
      .tolerance = 0,
      .benchmarks = unary_benchmarks(both),
  };
}

OpTest clamp_between_test() {
  const auto run = [](Inputs in) { return clamp(in[0], in[1], in[2]); };
  const auto f = [](const std::vector<double>& x) { return std::min(std::max(x[0], x[1]), x[2]); };
  const auto sample = [&](std::string label, const Shape& x, const Shape& low, const Shape& high) {
    return elementwise_sample(std::move(label), {{x}, {low, -2, 0}, {high, 0, 2}}, run, f);
  };
  return {
      .name = "clamp_between",
      .samples = {sample("same shape", {3, 5}, {3, 5}, {3, 5}),
                  sample("longer than a tile", {2, 300}, {2, 300}, {2, 300}),
                  sample("row and column", {4, 7}, {7}, {4, 1}), sample("scalars", {}, {}, {}),
                  sample("low alone broadcasts x", {1, 7}, {4, 1}, {}), sample("empty", {0, 3}, {}, {1, 3}),
                  elementwise_sample(
                      "no high bound", {{{3, 5}}, {{5}}},
                      [](Inputs in) { return clamp(in[0], in[1], Tensor()); },
                      [](const std::vector<double>& x) { return std::max(x[0], x[1]); }),
                  elementwise_sample(
                      "no low bound", {{{3, 5}}, {{5}}},
                      [](Inputs in) { return clamp(in[0], Tensor(), in[1]); },
                      [](const std::vector<double>& x) { return std::min(x[0], x[1]); })},
      .errors = {{"shapes that do not broadcast",
                  [] { clamp(zeros({2, 3}), zeros({4}), zeros({3})); },
                  "ShapeError",
                  {"clamp_between", "[2, 3]", "[4]"}},
                 {"no bound",
                  [] { clamp(zeros({2, 3}), Tensor(), Tensor()); },
                  "ValueError",
                  {"clamp", "f32[2, 3]", "bound"}}},
      .dtypes = kAllTypes,
      .tolerance = 0,
      .benchmarks = {sample("1M", {1024, 1024}, {1024, 1024}, {1024, 1024}),
                     sample("1M, rows of bounds", {1024, 1024}, {1024}, {1024})},
  };
}

namespace {

std::vector<float> clamp_gradient(const std::function<Tensor(const Tensor&)>& f,
                                  const std::vector<float>& values) {
  const Tensor x = requires_grad_(from_values(values, {static_cast<int64_t>(values.size())}));
  backward(f(x), ones(x.shape()));
  return x.grad().to_vector<float>();
}

TEST(Clamp, KeepsNanAndFollowsBoundsThatAreNan) {
  const Tensor x = from_values<float>({kNan, -5, 5}, {3});
  const std::vector<float> brought = clamp(x, -1, 1).to_vector<float>();
  EXPECT_TRUE(std::isnan(brought[0]));
  EXPECT_EQ(brought[1], -1);
  EXPECT_EQ(brought[2], 1);
  for (const Tensor& found : {clamp(x, kNan, 1), clamp(x, -1, kNan), clamp(x, full({}, kNan), full({}, 1)),
                              clamp(x, full({}, -1), full({}, kNan))}) {
    for (const float value : found.to_vector<float>()) EXPECT_TRUE(std::isnan(value));
  }
}

TEST(Clamp, TakesBoundsBeyondTheRangeOfATypeForItsEnds) {
  const Tensor x = from_values<uint8_t>({0, 3, 255}, {3});
  EXPECT_EQ(clamp(x, -1, 300).to_vector<uint8_t>(), (std::vector<uint8_t>{0, 3, 255}));
  EXPECT_EQ(clamp(x, 300, {}).to_vector<uint8_t>(), (std::vector<uint8_t>{255, 255, 255}));
  EXPECT_EQ(clamp(x, 0.5, 2).dtype(), Dtype::f32);
}

TEST(Clamp, HasTheGradientsOfTorch) {
  const std::vector<float> x = {-kInfinity, -2, -1, 0, 1, 2, kNan, kInfinity};
  EXPECT_EQ(clamp_gradient([](const Tensor& t) { return clamp(t, -1, 1); }, x),
            (std::vector<float>{0, 0, 0, 1, 0, 0, 0, 0}));
  EXPECT_EQ(clamp_gradient([](const Tensor& t) { return clamp(t, -1, {}); }, x),
            (std::vector<float>{0, 0, 0, 1, 1, 1, 0, 1}));
  EXPECT_EQ(clamp_gradient([](const Tensor& t) { return clamp(t, {}, 1); }, x),
            (std::vector<float>{1, 1, 1, 1, 0, 0, 0, 0}));
  EXPECT_EQ(clamp_gradient([](const Tensor& t) { return clamp(t, kNan, 1); }, x),
            (std::vector<float>(x.size(), 0.0F)));
  const auto between = [](const Tensor& t) { return clamp(t, full({}, -1), full({}, 1)); };
  EXPECT_EQ(clamp_gradient(between, x), (std::vector<float>{0, 0, 0.5F, 1, 0.5F, 0, 1, 0}));
}

}  // namespace
}  // namespace espalier::test
