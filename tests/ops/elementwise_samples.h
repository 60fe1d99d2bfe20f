#pragma once

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "tests/support/op_test.h"
#include "tests/support/special_values.h"

namespace espalier::test {

/// Samples of an operation on two operands, one for each way through the elementwise loop.
std::vector<OpSample> binary_samples(const std::function<Tensor(Inputs)>& run,
                                     const std::function<double(const std::vector<double>&)>& f,
                                     const InputSpec& a = {}, const InputSpec& b = {});

/// The same for an operation on one operand, whose elements are drawn from [low, high).
std::vector<OpSample> unary_samples(const std::function<Tensor(const Tensor&)>& run,
                                    const std::function<double(double)>& f, double low = -2, double high = 2);

/// Errors that every operation on two operands gives.
std::vector<OpError> binary_errors(const std::string& name,
                                   const std::function<Tensor(const Tensor&, const Tensor&)>& run);

/// Activations as a language model and a small network have them, for benchmarks.
std::vector<OpSample> unary_benchmarks(const std::function<Tensor(const Tensor&)>& run,
                                       const std::string& prefix = "");

/// Several lists in one.
std::vector<OpSample> joined(const std::vector<std::vector<OpSample>>& lists);

/// The derivative of an elementwise function at `x`.
Tensor slope_of(const std::function<Tensor(const Tensor&)>& f, const Tensor& x);

/// Expects `f` to make `y` of `x`, in type T, up to what rounds away beside 1.
template <class T>
void expect_elements(const std::function<Tensor(const Tensor&)>& f, const std::vector<double>& x,
                     const std::vector<double>& y) {
  const auto size = static_cast<int64_t>(x.size());
  const std::vector<T> found =
      f(from_values(std::vector<T>(x.begin(), x.end()), {size})).template to_vector<T>();
  for (size_t i = 0; i < x.size(); ++i) {
    if (std::isnan(y[i]))
      EXPECT_TRUE(std::isnan(found[i])) << "at " << x[i] << ": " << found[i];
    else
      EXPECT_FLOAT_EQ(static_cast<float>(found[i]) + 1, static_cast<float>(y[i]) + 1) << "at " << x[i];
  }
}

/// The same in single and in double precision.
inline void expect_in_both(const std::function<Tensor(const Tensor&)>& f, const std::vector<double>& x,
                           const std::vector<double>& y) {
  expect_elements<float>(f, x, y);
  expect_elements<double>(f, x, y);
}

}  // namespace espalier::test
