#include "ops/variance.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "ops/add.h"
#include "tests/ops/elementwise_samples.h"
#include "tests/ops/reduction_samples.h"
#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

double mean_of(const std::vector<double>& x) {
  return total(x) / static_cast<double>(x.size());
}

double variance_of(const std::vector<double>& x, double correction) {
  std::vector<double> squares;
  const double mean = mean_of(x);
  for (const double value : x) squares.push_back((value - mean) * (value - mean));
  return total(squares) / std::max(0.0, static_cast<double>(x.size()) - correction);
}

using Run = std::function<Tensor(const Tensor&, const Dims&, double, bool)>;

OpTest spread_test(const std::string& name, const Run& run, double (*finish)(double)) {
  // Without the correction, so that slices of one element have a variance; its gradient is 0.
  const auto uncorrected = [=](const Tensor& x, const Dims& axes, bool keepdim) {
    return run(x, axes, 0, keepdim);
  };
  std::vector<OpSample> samples = reduction_samples(
      uncorrected, [=](const std::vector<double>& x) { return finish(variance_of(x, 0)); }, true);
  for (const double correction : {1.0, 2.5}) {
    samples.push_back({"correction " + std::to_string(correction),
                       {{{3, 7}}},
                       [=](Inputs in) { return Tensors{run(in[0], {1}, correction, true)}; },
                       [=](const Arrays& in) {
                         return Arrays{reduced(in[0], {1}, true, [=](const std::vector<double>& x) {
                           return finish(variance_of(x, correction));
                         })};
                       }});
  }
  return {
      .name = name,
      .samples = samples,
      .errors =
          {
              {"an axis that is not there",
               [=] { run(zeros({2, 3}), {2}, 1, false); },
               "ShapeError",
               {name, "axis 2"}},
              {"integers", [=] { run(zeros({2}, Dtype::i64), {}, 1, false); }, "TypeError", {name, "i64[2]"}},
              {"no finite correction",
               [=] { run(zeros({2}), {}, kNan, false); },
               "ValueError",
               {name, "nan", "f32[2]"}},
              {"no tensor", [=] { run(Tensor(), {}, 1, false); }, "ValueError", {name, "undefined"}},
          },
      .dtypes = kAllFloatingTypes,
      .benchmarks = reduction_benchmarks(uncorrected),
  };
}

}  // namespace

OpTest variance_test() {
  return spread_test(
      "variance",
      [](const Tensor& x, const Dims& axes, double correction, bool keepdim) {
        return variance(x, axes, correction, keepdim);
      },
      [](double v) { return v; });
}

OpTest standard_deviation_test() {
  return spread_test(
      "standard_deviation",
      [](const Tensor& x, const Dims& axes, double correction, bool keepdim) {
        return standard_deviation(x, axes, correction, keepdim);
      },
      [](double v) { return std::sqrt(v); });
}

namespace {

TEST(Variance, KeepsItsDigitsBesideALargeMean) {
  // 2^23 + 1, 2^23 + 2, ...: every one a float, their squares are not.
  std::vector<float> x;
  for (int i = 0; i < 1000; ++i) x.push_back(8388608.0F + static_cast<float>(i % 4));
  const auto [v, m] = variance_and_mean(from_values(x, {10, 100}), {1}, 0);
  for (const float value : v.to_vector<float>()) EXPECT_EQ(value, 1.25F);
  for (const float value : m.to_vector<float>()) EXPECT_EQ(value, 8388610.0F);  // 8388609.5 to even
}

TEST(Variance, IsZeroForEqualElements) {
  EXPECT_EQ(variance(full({100000}, 0.1F)).item(), 0);
  EXPECT_EQ(variance(full({4, 1000}, 1e30F), {1}).to_vector<float>(), (std::vector<float>(4, 0)));
}

TEST(Variance, HasPyTorchsEdges) {
  EXPECT_TRUE(std::isnan(variance(ones({1})).item()));                            // 0 / 0
  EXPECT_EQ(variance(from_values<float>({1, 2}, {2}), {}, 5).item(), kInfinity);  // 0.5 / 0
  EXPECT_TRUE(std::isnan(variance(from_values<float>({1, INFINITY}, {2})).item()));
  EXPECT_TRUE(std::isnan(variance_and_mean(zeros({0})).mean.item()));
}

TEST(StandardDeviation, HasNoGradientWhereItIsZero) {
  const Tensor x = requires_grad_(from_values<float>({2, 2, 1, 3}, {2, 2}));
  backward(standard_deviation(x, {1}, 0), ones({2}));
  EXPECT_EQ(x.grad().to_vector<float>(), (std::vector<float>{0, 0, -0.5F, 0.5F}));
}

TEST(Variance, MeanHasAGradientOfItsOwn) {
  const Tensor x = requires_grad_(from_values<float>({1, 2, 3, 4}, {4}));
  backward(variance_and_mean(x).mean);
  EXPECT_EQ(x.grad().to_vector<float>(), (std::vector<float>(4, 0.25F)));
  const Tensor y = requires_grad_(from_values<float>({1, 3}, {2}));
  const auto [s, m] = standard_deviation_and_mean(y, {}, 0);
  backward(s + m);
  EXPECT_EQ(y.grad().to_vector<float>(), (std::vector<float>{0, 1}));
}

}  // namespace
}  // namespace espalier::test
