#pragma once

#include <cmath>
#include <functional>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "autograd/gradient_check.h"
#include "ops/copy.h"
#include "ops/sum.h"

// Losses are compared with numbers that PyTorch 2.15 gave in double precision: torch.nn.functional's function
// of the same name with the options and inputs that a test names, and `l.sum().backward()` for the gradient
// of the first input.

namespace espalier::test {

using Doubles = std::vector<double>;

inline Tensor f64(const Doubles& values, const Shape& shape) {
  return from_values(values, shape);
}

/// A few roundings of numbers of either library.
MATCHER(Close, "") {  // NOLINT(readability-identifier-naming): as GoogleMock's own
  const auto [got, expected] = arg;
  return std::abs(got - expected) <= 1e-13 * std::max(1.0, std::abs(expected)) || got == expected ||
         (std::isnan(got) && std::isnan(expected));
}

/// Compares a loss of f64 and the gradient of its input with PyTorch's.
inline void expect_loss(const std::function<Tensor(const Tensor&)>& loss, const Tensor& input,
                        const Doubles& value, const Doubles& gradient) {
  const Tensor x = requires_grad_(copy(input));
  const Tensor result = loss(x);
  EXPECT_THAT(result.detach().to_vector<double>(), testing::Pointwise(Close(), value));
  backward(sum(result));
  EXPECT_THAT(contiguous(x.grad()).to_vector<double>(), testing::Pointwise(Close(), gradient));
}

/// Compares first and second derivatives of all inputs with differences.
inline void expect_gradients(const std::function<Tensor(const std::vector<Tensor>&)>& loss,
                             const std::vector<Tensor>& inputs) {
  std::vector<Tensor> leaves;
  for (const Tensor& input : inputs) leaves.push_back(requires_grad_(copy(input)));
  const auto f = [&](const std::vector<Tensor>& in) { return std::vector<Tensor>{loss(in)}; };
  EXPECT_EQ(check_gradients(f, leaves), "");
  EXPECT_EQ(check_gradients(f, leaves, {.second_order = true}), "");
}

}  // namespace espalier::test
