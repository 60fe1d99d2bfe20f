#include "ops/isfinite.h"

#include <cmath>

#include <gtest/gtest.h>

#include "tests/ops/elementwise_samples.h"
#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

using Question = Tensor (*)(const Tensor&);

OpTest question(const std::string& name, Question run, double (*f)(double)) {
  return {
      .name = name,
      .samples = unary_samples(run, f),
      .errors = {{"no tensor", [run] { run(Tensor()); }, "ValueError", {name, "undefined"}}},
      .dtypes = kAllTypes,
      .differentiable = false,
      .twice_differentiable = false,
      .benchmarks = unary_benchmarks(run),
  };
}

}  // namespace

OpTest isfinite_test() {
  return question("isfinite", isfinite, [](double) { return 1.0; });
}
OpTest isinf_test() {
  return question("isinf", isinf, [](double) { return 0.0; });
}
OpTest isnan_test() {
  return question("isnan", isnan, [](double) { return 0.0; });
}

namespace {

template <class T>
void expect_answers() {
  std::vector<T> x;
  for (const float value : {0.0F, -0.0F, 448.0F, -448.0F, kInfinity, -kInfinity, kNan, -kNan})
    x.push_back(T(value));
  if constexpr (std::is_floating_point_v<T>) {
    x.push_back(std::numeric_limits<T>::max());
    x.push_back(-std::numeric_limits<T>::denorm_min());
  }
  const Tensor tensor = from_values(x, {static_cast<int64_t>(x.size())});
  const std::vector<bool> finite = isfinite(tensor).to_vector<bool>(),
                          infinite = isinf(tensor).to_vector<bool>(), nan = isnan(tensor).to_vector<bool>();
  for (size_t i = 0; i < x.size(); ++i) {
    const auto value =
        static_cast<double>(static_cast<std::conditional_t<sizeof(T) == 8, double, float>>(x[i]));
    EXPECT_EQ(finite[i], std::isfinite(value)) << value;
    EXPECT_EQ(infinite[i], std::isinf(value)) << value;
    EXPECT_EQ(nan[i], std::isnan(value)) << value;
  }
}

TEST(IsFinite, TellsInfinitiesAndNanInEveryFloatingType) {
  expect_answers<double>();
  expect_answers<float>();
  expect_answers<float16>();
  expect_answers<bfloat16>();
  expect_answers<float8_e5m2>();
  expect_answers<float8_e4m3>();  // has no infinities
}

}  // namespace
}  // namespace espalier::test
