#include "ops/power.h"

#include <cmath>
#include <random>

#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "core/cpu_features.h"
#include "tests/ops/elementwise_samples.h"
#include "tests/support/op_test.h"

namespace espalier::test {

OpTest power_test() {
  const auto run = [](Inputs in) { return power(in[0], in[1]); };
  const auto f = [](const std::vector<double>& x) { return std::pow(x[0], x[1]); };
  const InputSpec base{{}, 0.5, 3.5}, exponent{{}, 0, 3};
  std::vector<OpSample> samples = binary_samples(run, f, base, exponent);
  const auto to_number = [](double b, double low = 0.5) {
    return elementwise_sample(
        "to " + std::to_string(b), {{{3, 37}, low, 2}}, [b](Inputs in) { return power(in[0], b); },
        [b](const std::vector<double>& x) { return std::pow(x[0], b); });
  };
  for (const double b : {0.0, 1.0, 2.0, 3.0, 0.5, -0.5, -1.0, -2.0, 2.5, -1.5})
    samples.push_back(to_number(b));
  for (const double b : {2.0, 3.0, 5.0}) samples.push_back(to_number(b, -2));
  samples.push_back(elementwise_sample(
      "integer number", {{{20}, -2, 2}}, [](Inputs in) { return power(in[0], 3); },
      [](const std::vector<double>& x) { return x[0] * x[0] * x[0]; }));
  samples.push_back(elementwise_sample(
      "of a number", {{{3, 37}, 0, 3}}, [](Inputs in) { return power(2, in[0]); },
      [](const std::vector<double>& x) { return std::exp2(x[0]); }));
  std::vector<OpError> errors =
      binary_errors("power", [](const Tensor& a, const Tensor& b) { return power(a, b); });
  errors.push_back({"bools",
                    [] { power(zeros({2}, Dtype::boolean), zeros({2}, Dtype::boolean)); },
                    "TypeError",
                    {"power", "bool[2]"}});
  errors.push_back({"integers to a negative number",
                    [] { power(ones({2}, Dtype::i32), -1); },
                    "ValueError",
                    {"power", "i32[2]", "-1"}});
  const auto benchmark = [&](std::string label, const Shape& shape) {
    return elementwise_sample(std::move(label), {{shape, 0.1, 2}, {shape, 0, 2}}, run, f);
  };
  const auto benchmark_number = [](double b) {
    return OpSample{"1M to " + std::to_string(b),
                    {{{1024, 1024}, 0.1, 2}},
                    [b](Inputs in) { return Tensors{power(in[0], b)}; },
                    {}};
  };
  return {
      .name = "power",
      .covers = {"power_backward"},
      .samples = std::move(samples),
      .errors = std::move(errors),
      .dtypes = kNumberTypes,
      .benchmarks = {benchmark("1000", {1000}), benchmark("64K", {256, 256}), benchmark("1M", {1024, 1024}),
                     benchmark_number(2), benchmark_number(0.5), benchmark_number(2.5)},
  };
}

namespace {

template <class T>
std::vector<T> power_of(const std::vector<T>& a, const std::vector<T>& b) {
  const Shape shape{static_cast<int64_t>(a.size())};
  return power(from_values(a, shape), from_values(b, shape)).template to_vector<T>();
}

template <class T>
void expect_special_powers() {
  const T infinity = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
  const std::vector<T> values = {0,
                                 T{-0.0},
                                 1,
                                 -1,
                                 2,
                                 -2,
                                 T{0.5},
                                 T{-0.5},
                                 3,
                                 -3,
                                 T{1e30},
                                 T{-1e30},
                                 std::numeric_limits<T>::denorm_min(),
                                 infinity,
                                 -infinity,
                                 nan,
                                 T{2.5}};
  std::vector<T> a, b;
  for (const T x : values) {
    for (const T y : values) a.push_back(x), b.push_back(y);
  }
  const std::vector<T> found = power_of(a, b);
  for (size_t i = 0; i < a.size(); ++i) {
    const T expected = std::pow(a[i], b[i]);
    if (std::isnan(expected)) {
      EXPECT_TRUE(std::isnan(found[i])) << a[i] << "^" << b[i] << " gives " << found[i];
    } else {
      EXPECT_EQ(std::signbit(found[i]), std::signbit(expected)) << a[i] << "^" << b[i];
      EXPECT_TRUE(found[i] == expected || std::abs(found[i] / expected - 1) < 1e-6)
          << a[i] << "^" << b[i] << " gives " << found[i] << " instead of " << expected;
    }
  }
}

TEST(Power, HasTheSpecialCasesOfTheStandardLibrary) {
  expect_special_powers<float>();
  expect_special_powers<double>();
}

TEST(Power, OfFloatsIsRightToOneUnitInTheLastPlace) {
  std::mt19937 random(1);
  std::uniform_real_distribution<float> exponents(-149, 128);
  std::vector<float> a, b;
  for (int i = 0; i < 20000; ++i) {
    // The power is spread over all floats, for bases near 1 as well as far away.
    const float base = std::exp2(exponents(random) * (i % 2 ? 1.0F : 0.004F));
    a.push_back(base);
    b.push_back(exponents(random) / std::log2(base));
  }
  const std::vector<float> found = power_of(a, b);
  for (size_t i = 0; i < a.size(); ++i) {
    const double exact = std::pow(static_cast<double>(a[i]), static_cast<double>(b[i]));
    const auto rounded = static_cast<float>(exact);
    if (std::isinf(rounded)) {
      EXPECT_TRUE(std::isinf(found[i])) << a[i] << "^" << b[i];
      continue;
    }
    const double place =
        static_cast<double>(std::nextafter(rounded, std::numeric_limits<float>::infinity())) -
        static_cast<double>(rounded);
    ASSERT_LE(std::abs(static_cast<double>(found[i]) - exact), 0.51 * place)
        << a[i] << "^" << b[i] << " gives " << found[i] << " instead of " << exact;
  }
}

TEST(Power, OfIntegersIsExactAndWraps) {
  EXPECT_EQ(power_of<int64_t>({2, -3, 0, 5, 1, -1, -1, 0, 2, 3}, {62, 3, 0, 2, -3, -3, -2, -1, -1, 41}),
            (std::vector<int64_t>{int64_t{1} << 62, -27, 1, 25, 1, -1, 1, 0, 0,
                                  static_cast<int64_t>(UINT64_C(18026252303461234787))}));
  EXPECT_EQ(power_of<uint8_t>({3}, {200}), (std::vector<uint8_t>{161}));
  EXPECT_EQ(power(from_values<int8_t>({100}, {1}), 2).to_vector<int8_t>(), (std::vector<int8_t>{16}));
}

TEST(Power, ToOneHalfIsTheSquareRoot) {
  const std::vector<float> roots =
      power(from_values<float>({-0.0F, -kInfinity, 4}, {3}), 0.5).to_vector<float>();
  EXPECT_TRUE(roots[0] == 0 && std::signbit(roots[0]));
  EXPECT_TRUE(std::isnan(roots[1]));
  EXPECT_EQ(roots[2], 2);
}

TEST(Power, HasTheGradientsOfTorchWhereTheyAreSpecial) {
  const auto expect = [](const std::vector<float>& found, const std::vector<double>& expected) {
    for (size_t i = 0; i < found.size(); ++i) {
      if (std::isnan(expected[i]))
        EXPECT_TRUE(std::isnan(found[i])) << i << ": " << found[i];
      else
        EXPECT_FLOAT_EQ(found[i], static_cast<float>(expected[i])) << i;
    }
  };
  const float infinity = kInfinity;
  const Tensor a = requires_grad_(from_values<float>({0, 0, 0, -2, 2, -1, infinity}, {7}));
  const Tensor b = requires_grad_(from_values<float>({0, 2, -1, 3, 0.5F, 0.5F, 0}, {7}));
  backward(power(a, b), ones({7}));
  expect(a.grad().to_vector<float>(), {0, 0, -kInfinity, 12, 0.35355338, kNan, 0});
  expect(b.grad().to_vector<float>(), {0, 0, -kInfinity, kNan, 0.9802581, kNan, kInfinity});

  const auto by_number = [](double exponent, const std::vector<float>& values) {
    const Tensor x = requires_grad_(from_values(values, {static_cast<int64_t>(values.size())}));
    backward(power(x, exponent), ones(x.shape()));
    return x.grad().to_vector<float>();
  };
  const auto nan = kNan;
  expect(by_number(0, {0, 1, nan}), {0, 0, 0});
  expect(by_number(1, {0, 1, nan, infinity}), {1, 1, 1, 1});
  expect(by_number(2, {0, 1, nan, infinity}), {0, 2, kNan, kInfinity});
  expect(by_number(0.5, {0, 1, -1, infinity}), {kInfinity, 0.5, kNan, 0});
}

}  // namespace
}  // namespace espalier::test
