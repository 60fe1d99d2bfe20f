#include "ops/divide.h"

#include "tests/ops/elementwise_samples.h"
#include "tests/support/op_test.h"

namespace espalier::test {

OpTest divide_test() {
  const auto f = [](const std::vector<double>& x) { return x[0] / x[1]; };
  std::vector<OpSample> samples =
      binary_samples([](Inputs in) { return in[0] / in[1]; }, f, {}, {.low = 1, .high = 3});
  samples.push_back(elementwise_sample(
      "a number on the right", {{{3, 4}, 3, 5}}, [](Inputs in) { return in[0] / 2; },
      [](const std::vector<double>& x) { return x[0] / 2; }));
  samples.push_back(elementwise_sample(
      "a number on the left", {{{3, 4}, 1, 3}}, [](Inputs in) { return 3 / in[0]; },
      [](const std::vector<double>& x) { return 3 / x[0]; }));
  std::vector<OpError> errors =
      binary_errors("divide", [](const Tensor& a, const Tensor& b) { return a / b; });
  errors.push_back({"integers behind the function's back",
                    [] { apply_one(Divide(), ones({2}, Dtype::i64), ones({2}, Dtype::i64)); },
                    "TypeError",
                    {"divide", "i64[2]", "floating"}});
  return {
      .name = "divide",
      .samples = std::move(samples),
      .errors = std::move(errors),
      .dtypes = kAllTypes,
      .benchmarks = {elementwise_sample(
          "1M", {{{1024, 1024}}, {{1024, 1024}}}, [](Inputs in) { return in[0] / in[1]; }, f)},
  };
}

}  // namespace espalier::test
