#include "ops/equal.h"

#include "tests/ops/elementwise_samples.h"
#include "tests/support/op_test.h"

namespace espalier::test {

OpTest equal_test() {
  std::vector<OpSample> samples = binary_samples([](Inputs in) { return equal(in[0], in[1]); },
                                                 [](const std::vector<double>& x) { return x[0] == x[1]; });
  samples.push_back(elementwise_sample(
      "the same twice", {{{2, 3}}}, [](Inputs in) { return equal(in[0], in[0]); },
      [](const std::vector<double>&) { return 1; }));
  samples.push_back(elementwise_sample(
      "a number", {{{20}, 0, 3}}, [](Inputs in) { return equal(in[0], 1); },
      [](const std::vector<double>& x) { return x[0] == 1; }));
  return {
      .name = "equal",
      .samples = std::move(samples),
      .errors = binary_errors("equal", [](const Tensor& a, const Tensor& b) { return equal(a, b); }),
      .dtypes = kAllTypes,
      .differentiable = false,
      .twice_differentiable = false,
  };
}

}  // namespace espalier::test
