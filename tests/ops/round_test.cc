#include "ops/round.h"

#include <cmath>

#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "tests/ops/elementwise_samples.h"
#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

using Step = Tensor (*)(const Tensor&);

double signum(double x) {
  return x > 0 ? 1 : x < 0 ? -1 : 0;
}

OpTest steps(const std::string& name, Step run, double (*f)(double), const std::vector<Dtype>& dtypes) {
  return {
      .name = name,
      .samples = unary_samples(run, f, -4, 4),
      .errors = {{"no tensor", [run] { run(Tensor()); }, "ValueError", {name, "undefined"}}},
      .dtypes = dtypes,
      .tolerance = 0,
      .benchmarks = unary_benchmarks(run),
  };
}

}  // namespace

OpTest ceil_test() {
  return steps("ceil", ceil, [](double x) { return std::ceil(x); }, kNumberTypes);
}
OpTest floor_test() {
  return steps("floor", floor, [](double x) { return std::floor(x); }, kNumberTypes);
}
OpTest round_test() {
  return steps("round", round, [](double x) { return std::nearbyint(x); }, kNumberTypes);
}
OpTest sign_test() {
  return steps("sign", sign, signum, kAllTypes);
}
OpTest trunc_test() {
  return steps("trunc", trunc, [](double x) { return std::trunc(x); }, kNumberTypes);
}

namespace {

/// Expects the values of `f`, signs of zeros included, at halves, large numbers and what is not finite.
template <class T>
void expect_special_values(Step run, double (*f)(double)) {
  constexpr T kHalves = std::is_same_v<T, float> ? T{0x1p22 + 0.5} : static_cast<T>(0x1p51 + 0.5);
  const std::vector<T> x = {T{-2.5},
                            T{-1.5},
                            T{-0.5},
                            T{-0.0},
                            T{0},
                            T{0.5},
                            T{1.5},
                            T{2.5},
                            kHalves,
                            -kHalves,
                            static_cast<T>(1e30),
                            std::numeric_limits<T>::denorm_min(),
                            -std::numeric_limits<T>::denorm_min(),
                            static_cast<T>(kInfinity),
                            static_cast<T>(-kInfinity),
                            static_cast<T>(kNan)};
  const std::vector<T> y = run(from_values(x, {static_cast<int64_t>(x.size())})).template to_vector<T>();
  for (size_t i = 0; i < x.size(); ++i) {
    const double expected = f(static_cast<double>(x[i]));
    if (std::isnan(expected)) {
      EXPECT_TRUE(std::isnan(y[i])) << x[i];
    } else {
      EXPECT_EQ(y[i], expected) << x[i];
      EXPECT_EQ(std::signbit(y[i]), std::signbit(expected)) << x[i];
    }
  }
}

TEST(Round, RoundsSpecialValuesAsTheStandardLibraryDoes) {
  const auto expect = [](Step run, double (*f)(double)) {
    expect_special_values<float>(run, f);
    expect_special_values<double>(run, f);
  };
  expect(ceil, [](double x) { return std::ceil(x); });
  expect(floor, [](double x) { return std::floor(x); });
  expect(round, [](double x) { return std::nearbyint(x); });
  expect(trunc, [](double x) { return std::trunc(x); });
  expect(sign, signum);
}

TEST(Round, HasAGradientOfZeros) {
  for (const Step run : {Step{ceil}, Step{floor}, Step{round}, Step{sign}, Step{trunc}}) {
    const Tensor x = requires_grad_(from_values<float>({0, 0.5, -1.7F}, {3}));
    const Tensor y = run(x);
    EXPECT_TRUE(y.requires_grad());
    backward(y, ones({3}));
    EXPECT_EQ(x.grad().to_vector<float>(), (std::vector<float>{0, 0, 0}));
  }
}

}  // namespace
}  // namespace espalier::test
