#include "ops/multiply.h"

#include "tests/ops/elementwise_samples.h"
#include "tests/support/op_test.h"

namespace espalier::test {

OpTest multiply_test() {
  const auto f = [](const std::vector<double>& x) { return x[0] * x[1]; };
  std::vector<OpSample> samples = binary_samples([](Inputs in) { return in[0] * in[1]; }, f);
  samples.push_back(elementwise_sample(
      "a number on the right", {{{3, 4}, 3, 5}}, [](Inputs in) { return in[0] * 3; },
      [](const std::vector<double>& x) { return x[0] * 3; }));
  samples.push_back(elementwise_sample(
      "a number on the left", {{{3, 4}, 1, 3}}, [](Inputs in) { return 2 * in[0]; },
      [](const std::vector<double>& x) { return 2 * x[0]; }));
  samples.push_back(elementwise_sample(
      "a square", {{{3, 4}, -3, 3}}, [](Inputs in) { return square(in[0]); },
      [](const std::vector<double>& x) { return x[0] * x[0]; }));
  std::vector<OpError> errors =
      binary_errors("multiply", [](const Tensor& a, const Tensor& b) { return a * b; });
  return {
      .name = "multiply",
      .samples = std::move(samples),
      .errors = std::move(errors),
      .dtypes = kAllTypes,
      .benchmarks = {elementwise_sample(
          "1M", {{{1024, 1024}}, {{1024, 1024}}}, [](Inputs in) { return in[0] * in[1]; }, f)},
  };
}

}  // namespace espalier::test
