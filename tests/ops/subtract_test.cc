#include "ops/subtract.h"

#include "tests/ops/elementwise_samples.h"
#include "tests/support/op_test.h"

namespace espalier::test {

OpTest subtract_test() {
  const auto f = [](const std::vector<double>& x) { return x[0] - x[1]; };
  std::vector<OpSample> samples = binary_samples([](Inputs in) { return in[0] - in[1]; }, f,
                                                 // In the unsigned types the difference must not wrap.
                                                 {.low = 2, .high = 6});
  samples.push_back(elementwise_sample(
      "a number on the right", {{{3, 4}, 3, 5}}, [](Inputs in) { return in[0] - 2; },
      [](const std::vector<double>& x) { return x[0] - 2; }));
  samples.push_back(elementwise_sample(
      "a number on the left", {{{3, 4}, 1, 3}}, [](Inputs in) { return 3 - in[0]; },
      [](const std::vector<double>& x) { return 3 - x[0]; }));
  std::vector<OpError> errors =
      binary_errors("subtract", [](const Tensor& a, const Tensor& b) { return a - b; });
  errors.push_back({"two bools",
                    [] { subtract(zeros({2}, Dtype::boolean), zeros({2}, Dtype::boolean)); },
                    "TypeError",
                    {"subtract", "bool[2]"}});
  return {
      .name = "subtract",
      .samples = std::move(samples),
      .errors = std::move(errors),
      .dtypes = kNumberTypes,
      .benchmarks = {elementwise_sample(
          "1M", {{{1024, 1024}}, {{1024, 1024}}}, [](Inputs in) { return in[0] - in[1]; }, f)},
  };
}

}  // namespace espalier::test
