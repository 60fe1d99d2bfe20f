#include "ops/cast.h"

#include <cmath>

#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "tests/ops/elementwise_samples.h"
#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

/// Differences cannot see through a rounding, so gradients are looked at below.
OpSample cast_sample(Dtype to, const Shape& shape, const std::function<double(double)>& f) {
  return elementwise_sample(
      "to " + std::string(to_string(to)), {{shape, 0, 2, {}, false}},
      [to](Inputs in) { return cast(in[0], to); }, [f](const std::vector<double>& x) { return f(x[0]); });
}

double same(double x) {
  return x;
}
double whole(double x) {
  return std::trunc(x);
}

}  // namespace

OpTest cast_test() {
  std::vector<OpSample> samples;
  for (const Dtype to : kEveryType) {
    // What is not zero becomes true.
    samples.push_back(cast_sample(to, {3, 5}, is_floating(to) || to == Dtype::boolean ? same : whole));
  }
  samples.push_back(cast_sample(Dtype::f16, {2, 300}, same));
  samples.push_back(cast_sample(Dtype::i64, {0, 3}, whole));
  return {
      .name = "cast",
      .samples = std::move(samples),
      .errors = {{"no tensor", [] { cast(Tensor(), Dtype::f32); }, "ValueError", {"undefined"}}},
      .dtypes = kEveryType,
      .tolerance = 1,
  };
}

namespace {

TEST(Cast, GradientComesBackInTheTypeOfTheInput) {
  const Tensor x = requires_grad_(from_values<double>({1, 2}, {2}));
  backward(cast(x, Dtype::f32), from_values<float>({3, 4}, {2}));
  EXPECT_EQ(x.grad().to_vector<double>(), (std::vector<double>{3, 4}));
}

}  // namespace
}  // namespace espalier::test
