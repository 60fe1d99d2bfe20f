#include "ops/compare.h"

#include <gtest/gtest.h>

#include "tests/ops/elementwise_samples.h"
#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

using Compare = Tensor (*)(const Tensor&, const Tensor&);
using CompareNumber = Tensor (*)(const Tensor&, Scalar);

/// The test object of one comparison, from what it says of doubles.
OpTest comparison(const std::string& name, Compare run, CompareNumber run_number, bool (*f)(double, double)) {
  const auto both = [f](const std::vector<double>& x) { return f(x[0], x[1]) ? 1.0 : 0.0; };
  const auto compare = [run](Inputs in) { return run(in[0], in[1]); };
  std::vector<OpSample> samples = binary_samples(compare, both);
  samples.push_back(elementwise_sample(
      "the same twice", {{{2, 37}}}, [run](Inputs in) { return run(in[0], in[0]); },
      [f](const std::vector<double>& x) { return f(x[0], x[0]) ? 1.0 : 0.0; }));
  samples.push_back(elementwise_sample(
      "a number", {{{20}, 0, 3}}, [run_number](Inputs in) { return run_number(in[0], 1); },
      [f](const std::vector<double>& x) { return f(x[0], 1) ? 1.0 : 0.0; }));
  const auto benchmark = [&](std::string label, const Shape& a, const Shape& b) {
    return elementwise_sample(std::move(label), {{a}, {b}}, compare, both);
  };
  return {
      .name = name,
      .samples = std::move(samples),
      .errors = binary_errors(name, run),
      .dtypes = kAllTypes,
      .differentiable = false,
      .twice_differentiable = false,
      .benchmarks = {benchmark("1000", {1000}, {1000}), benchmark("64K", {256, 256}, {256, 256}),
                     benchmark("1M", {1024, 1024}, {1024, 1024}),
                     benchmark("512 x 512 mask", {512, 1}, {512})},
  };
}

}  // namespace

OpTest equal_test() {
  return comparison("equal", equal, equal, [](double a, double b) { return a == b; });
}
OpTest not_equal_test() {
  return comparison("not_equal", not_equal, not_equal, [](double a, double b) { return a != b; });
}
OpTest less_test() {
  return comparison("less", less, less, [](double a, double b) { return a < b; });
}
OpTest less_equal_test() {
  return comparison("less_equal", less_equal, less_equal, [](double a, double b) { return a <= b; });
}

namespace {

template <class T>
void expect_comparisons_of(const std::vector<T>& values) {
  std::vector<T> first, second;
  for (const T a : values) {
    for (const T b : values) first.push_back(a), second.push_back(b);
  }
  const Shape shape{static_cast<int64_t>(first.size())};
  const Tensor a = from_values(first, shape), b = from_values(second, shape);
  const auto expect = [&](const Tensor& found, bool (*f)(T, T), const char* name) {
    const std::vector<bool> result = found.to_vector<bool>();
    for (size_t i = 0; i < first.size(); ++i)
      EXPECT_EQ(result[i], f(first[i], second[i])) << first[i] << " " << name << " " << second[i];
  };
  expect(equal(a, b), [](T x, T y) { return x == y; }, "==");
  expect(not_equal(a, b), [](T x, T y) { return x != y; }, "!=");
  expect(a < b, [](T x, T y) { return x < y; }, "<");
  expect(a <= b, [](T x, T y) { return x <= y; }, "<=");
  expect(a > b, [](T x, T y) { return x > y; }, ">");
  expect(a >= b, [](T x, T y) { return x >= y; }, ">=");
  expect(greater(a, b), [](T x, T y) { return x > y; }, "greater");
  expect(greater_equal(a, b), [](T x, T y) { return x >= y; }, "greater_equal");
}

TEST(Compare, OrdersSpecialValuesAsCppDoes) {
  expect_comparisons_of<float>({kNan, kInfinity, -kInfinity, 0.0F, -0.0F, 1e-45F, -1e-45F, 1e30F, 1.0F});
  expect_comparisons_of<double>({kNan, kInfinity, -kInfinity, 0.0, -0.0, 5e-324, 1e300, 1 + 0x1p-52, 1.0});
  constexpr int64_t kLarge = int64_t{1} << 53;
  expect_comparisons_of<int64_t>({kLarge, kLarge + 1, -kLarge, 0, std::numeric_limits<int64_t>::min()});
  expect_comparisons_of<uint8_t>({0, 1, 127, 128, 255});
}

TEST(Compare, TakesNumbersOnBothSides) {
  const Tensor x = from_values<float>({1, 2, 3}, {3});
  const auto bools = [](const Tensor& found) { return found.to_vector<bool>(); };
  EXPECT_EQ(bools(x < 2), (std::vector<bool>{true, false, false}));
  EXPECT_EQ(bools(x <= 2), (std::vector<bool>{true, true, false}));
  EXPECT_EQ(bools(x > 2), (std::vector<bool>{false, false, true}));
  EXPECT_EQ(bools(x >= 2), (std::vector<bool>{false, true, true}));
  EXPECT_EQ(bools(2 < x), (std::vector<bool>{false, false, true}));
  EXPECT_EQ(bools(2 <= x), (std::vector<bool>{false, true, true}));
  EXPECT_EQ(bools(2 > x), (std::vector<bool>{true, false, false}));
  EXPECT_EQ(bools(2 >= x), (std::vector<bool>{true, true, false}));
  EXPECT_EQ(bools(not_equal(x, 2)), (std::vector<bool>{true, false, true}));
  EXPECT_EQ(bools(from_values<int64_t>({1, 2}, {2}) < 1.5), (std::vector<bool>{true, false}));
}

TEST(Compare, RefusesANumberThatTheTypeCannotHold) {
  EXPECT_THROW(zeros({2}, Dtype::u8) < 300, ValueError);
}

}  // namespace
}  // namespace espalier::test
