// How precise the mathematical functions are, on every instruction set, and what they do with the sign of 0,
// with subnormal numbers and with large angles.

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/cpu_features.h"
#include "core/tensor.h"
#include "ops/elu.h"
#include "ops/erf.h"
#include "ops/exp.h"
#include "ops/gelu.h"
#include "ops/log.h"
#include "ops/reciprocal.h"
#include "ops/relu.h"
#include "ops/silu.h"
#include "ops/trigonometry.h"

namespace espalier::test {
namespace {

/// A function, where it is tried, and the largest errors allowed, in units in the last place: what was found
/// over 4 million floats and 1 million doubles of the same distribution, rounded up to a tenth.
struct Function {
  std::string name;
  Tensor (*run)(const Tensor&);
  long double (*exact)(long double);
  double low, high;
  double allowed_f32, allowed_f64;
};

// NOLINTNEXTLINE(readability-identifier-naming): GoogleTest's name
void PrintTo(const Function& function, std::ostream* out) {
  *out << function.name;
}

const double kAny = std::numeric_limits<double>::infinity();

const std::vector<Function>& functions() {
  static const std::vector<Function> all = {
      {"exp2", exp2, [](long double x) { return std::exp2(x); }, -1080, 1024, 1.1, 1.1},
      {"expm1", expm1, [](long double x) { return std::expm1(x); }, -100, 710, 1.5, 1.9},
      {"log1p", log1p, [](long double x) { return std::log1p(x); }, -1, kAny, 1.6, 1.1},
      {"log2", log2, [](long double x) { return std::log2(x); }, 0, kAny, 1.9, 1.7},
      {"log10", log10, [](long double x) { return std::log10(x); }, 0, kAny, 2.1, 1.8},
      {"erf", erf, [](long double x) { return std::erf(x); }, -kAny, kAny, 2.5, 4.9},
      {"sin", sin, [](long double x) { return std::sin(x); }, -1e7, 1e7, 1.9, 2.2},
      {"cos", cos, [](long double x) { return std::cos(x); }, -1e7, 1e7, 2.2, 2.3},
      {"tan", tan, [](long double x) { return std::tan(x); }, -1e7, 1e7, 3.4, 3.2},
      {"rsqrt", rsqrt, [](long double x) { return 1 / std::sqrt(x); }, 0, kAny, 1.5, 1.5},
  };
  return all;
}

/// Numbers between the bounds: some of every magnitude, some evenly from -20 to 20, some evenly from the
/// whole interval where it is bounded.
template <class T>
std::vector<T> arguments(const Function& function, int count) {
  std::mt19937_64 random(5);
  std::uniform_real_distribution<double> unit(0, 1);
  const double low = std::max(function.low, -static_cast<double>(std::numeric_limits<T>::max()));
  const double high = std::min(function.high, static_cast<double>(std::numeric_limits<T>::max()));
  std::vector<T> x;
  while (static_cast<int>(x.size()) < count) {
    constexpr int kLowest = std::numeric_limits<T>::min_exponent - std::numeric_limits<T>::digits;
    constexpr int kHighest = std::numeric_limits<T>::max_exponent;
    const double exponent = kLowest + unit(random) * (kHighest - kLowest);
    const double magnitude = std::exp2(exponent);
    const double wide = std::isfinite(function.low) ? low + unit(random) * (high - low) : 0;
    for (const double value : {magnitude, -magnitude, unit(random) * 40 - 20, unit(random) * 4 - 2, wide}) {
      if (value > low && value < high && std::isfinite(static_cast<T>(value)))
        x.push_back(static_cast<T>(value));
    }
  }
  return x;
}

template <class T>
double error_in_units(T got, long double exact) {
  const T rounded = static_cast<T>(exact);
  if (got == rounded || (std::isnan(got) && std::isnan(rounded))) return 0;
  const long double size = std::max<long double>(std::abs(exact), std::numeric_limits<T>::min());
  const long double unit = std::exp2(std::floor(std::log2(size)) + 1 - std::numeric_limits<T>::digits);
  return static_cast<double>(std::abs(static_cast<long double>(got) - exact) / unit);
}

/// The largest error over the arguments on the instruction set in use; says at which argument it is.
template <class T>
void expect_precise(const Function& function, const std::vector<T>& x, const std::vector<long double>& exact,
                    double allowed) {
  const std::vector<T> y =
      function.run(from_values(x, {static_cast<int64_t>(x.size())})).template to_vector<T>();
  double largest = 0;
  size_t at = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double error = error_in_units(y[i], exact[i]);
    if (!(error <= largest)) {
      largest = error;
      at = i;
    }
  }
  EXPECT_LE(largest, allowed) << function.name << "(" << x[at] << ") = " << y[at] << " instead of "
                              << static_cast<T>(exact[at]) << ", on " << cpu_level_name(cpu_level());
}

/// Puts the level back, also after a failed assertion.
struct CpuLevelGuard {
  CpuLevel best = cpu_level();
  ~CpuLevelGuard() { set_cpu_level(best); }
};

template <class T>
void check_precision(const Function& function, double allowed) {
  const std::vector<T> x = arguments<T>(function, 40'000);
  std::vector<long double> exact;
  exact.reserve(x.size());
  for (const T value : x) exact.push_back(function.exact(value));
  const CpuLevelGuard scope;
  for (const CpuLevel level : {CpuLevel::baseline, CpuLevel::avx2, scope.best}) {
    if (level > scope.best) continue;
    set_cpu_level(level);
    expect_precise(function, x, exact, allowed);
  }
}

class VectorMath : public testing::TestWithParam<Function> {};

TEST_P(VectorMath, IsPreciseInSinglePrecision) {
  check_precision<float>(GetParam(), GetParam().allowed_f32);
}

TEST_P(VectorMath, IsPreciseInDoublePrecision) {
  check_precision<double>(GetParam(), GetParam().allowed_f64);
}

INSTANTIATE_TEST_SUITE_P(Each, VectorMath, testing::ValuesIn(functions()),
                         [](const testing::TestParamInfo<Function>& tested) { return tested.param.name; });

template <class T>
T at(Tensor (*f)(const Tensor&), T x) {
  return f(from_values<T>({x}, {1})).template to_vector<T>()[0];
}

TEST(VectorMath, MinusZeroKeepsItsSign) {
  for (const auto f : {log1p, expm1, sin, tan, erf, silu, mish, gelu_exact, selu}) {
    for (const float zero : {0.0F, -0.0F}) {
      const float y = at(f, zero);
      EXPECT_EQ(y, 0);
      EXPECT_EQ(std::signbit(y), std::signbit(zero));
    }
  }
}

TEST(VectorMath, SubnormalNumbersPass) {
  for (const auto f : {log1p, expm1, sin, tan}) {
    EXPECT_EQ(at(f, 1e-40F), 1e-40F);
    EXPECT_EQ(at(f, -1e-310), -1e-310);
  }
}

TEST(VectorMath, LogarithmsOfPowersAreExact) {
  for (int n = -149; n < 128; ++n) EXPECT_EQ(at(log2, std::ldexp(1.0F, n)), static_cast<float>(n));
  for (int n = -1074; n < 1024; ++n) EXPECT_EQ(at(log2, std::ldexp(1.0, n)), n);
}

TEST(VectorMath, AnglesMayBeLarge) {
  for (const double x : {1e5, 1e7, 1e22, 1e30, -1e30, 12799.999, 12800.001, 999999.9, 1000000.1}) {
    const auto single = static_cast<float>(x);
    const auto same = static_cast<long double>(single);
    EXPECT_FLOAT_EQ(at(sin, single), static_cast<float>(std::sin(same)));
    EXPECT_FLOAT_EQ(at(cos, single), static_cast<float>(std::cos(same)));
    EXPECT_FLOAT_EQ(at(tan, single), static_cast<float>(std::tan(same)));
    EXPECT_DOUBLE_EQ(at(sin, x), static_cast<double>(std::sin(static_cast<long double>(x))));
    EXPECT_DOUBLE_EQ(at(cos, x), static_cast<double>(std::cos(static_cast<long double>(x))));
    EXPECT_DOUBLE_EQ(at(tan, x), static_cast<double>(std::tan(static_cast<long double>(x))));
  }
}

TEST(VectorMath, BitsDoNotDependOnNeighbours) {
  const Tensor small = from_values<float>({1, 2, 3, 4}, {4}),
               mixed = from_values<float>({1, 1e30F, 3, 4}, {4});
  for (const auto f : {sin, cos, tan}) {
    const std::vector<float> alone = f(small).to_vector<float>(), beside = f(mixed).to_vector<float>();
    EXPECT_EQ(alone[0], beside[0]);
    EXPECT_EQ(alone[2], beside[2]);
    EXPECT_EQ(alone[3], beside[3]);
  }
}

}  // namespace
}  // namespace espalier::test
