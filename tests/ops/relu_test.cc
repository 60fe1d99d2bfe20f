#include "ops/relu.h"

#include <algorithm>

#include "tests/ops/elementwise_samples.h"
#include "tests/support/op_test.h"

namespace espalier::test {

OpTest relu_test() {
  return {
      .name = "relu",
      .covers = {"relu_backward"},
      .samples = unary_samples(relu, [](double x) { return std::max(x, 0.0); }),
      .errors =
          {
              {"bool", [] { relu(zeros({2}, Dtype::boolean)); }, "TypeError", {"relu", "bool[2]"}},
              {"no tensor", [] { relu(Tensor()); }, "ValueError", {"relu", "undefined"}},
          },
      .dtypes = kNumberTypes,
      .benchmarks = unary_benchmarks(relu),
  };
}

}  // namespace espalier::test
