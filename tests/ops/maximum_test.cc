#include "ops/maximum.h"

#include <cmath>

#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "tests/ops/elementwise_samples.h"
#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

OpTest extremum(const std::string& name, Tensor (*run)(const Tensor&, const Tensor&),
                Tensor (*run_number)(const Tensor&, Scalar), double (*f)(double, double)) {
  const auto both = [f](const std::vector<double>& x) { return f(x[0], x[1]); };
  const auto pick = [run](Inputs in) { return run(in[0], in[1]); };
  std::vector<OpSample> samples = binary_samples(pick, both);
  samples.push_back(elementwise_sample(
      "a number", {{{20}, 0, 3}}, [run_number](Inputs in) { return run_number(in[0], 1); },
      [f](const std::vector<double>& x) { return f(x[0], 1); }));
  const auto benchmark = [&](std::string label, const Shape& shape) {
    return elementwise_sample(std::move(label), {{shape}, {shape}}, pick, both);
  };
  return {
      .name = name,
      .covers = {"maximum_backward"},
      .samples = std::move(samples),
      .errors = binary_errors(name, run),
      .dtypes = kAllTypes,
      .tolerance = 0,
      .benchmarks = {benchmark("1000", {1000}), benchmark("64K", {256, 256}), benchmark("1M", {1024, 1024})},
  };
}

}  // namespace

OpTest maximum_test() {
  return extremum("maximum", maximum, maximum, [](double a, double b) { return std::max(a, b); });
}
OpTest minimum_test() {
  return extremum("minimum", minimum, minimum, [](double a, double b) { return std::min(a, b); });
}

namespace {

TEST(Maximum, IsNanWhereAnOperandIsAndKeepsTheFirstZero) {
  const Tensor a = from_values<double>({kNan, 1, -0.0, 0.0, kInfinity}, {5});
  const Tensor b = from_values<double>({1, kNan, 0.0, -0.0, kNan}, {5});
  for (const Tensor& found : {maximum(a, b), minimum(a, b)}) {
    const std::vector<double> values = found.to_vector<double>();
    for (const size_t i : {0, 1, 4}) EXPECT_TRUE(std::isnan(values[i])) << i;
    EXPECT_TRUE(std::signbit(values[2]));
    EXPECT_FALSE(std::signbit(values[3]));
  }
}

TEST(Maximum, SharesTheGradientAsTorchDoes) {
  const std::vector<float> values_a = {1, 2, 3, kNan, 1};
  const std::vector<float> values_b = {2, 2, 1, 1, kNan};
  const auto gradients = [&](auto f) {
    const Tensor a = requires_grad_(from_values(values_a, {5})),
                 b = requires_grad_(from_values(values_b, {5}));
    backward(f(a, b), ones({5}));
    return std::pair(a.grad().to_vector<float>(), b.grad().to_vector<float>());
  };
  const auto larger = gradients([](const Tensor& a, const Tensor& b) { return maximum(a, b); });
  EXPECT_EQ(larger.first, (std::vector<float>{0, 0.5F, 1, 1, 1}));
  EXPECT_EQ(larger.second, (std::vector<float>{1, 0.5F, 0, 1, 1}));
  const auto smaller = gradients([](const Tensor& a, const Tensor& b) { return minimum(a, b); });
  EXPECT_EQ(smaller.first, (std::vector<float>{1, 0.5F, 0, 1, 1}));
  EXPECT_EQ(smaller.second, (std::vector<float>{0, 0.5F, 1, 1, 1}));
}

}  // namespace
}  // namespace espalier::test
