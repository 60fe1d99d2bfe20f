#include "ops/abs.h"

#include <cmath>

#include "tests/ops/elementwise_samples.h"
#include "tests/support/op_test.h"

namespace espalier::test {

OpTest abs_test() {
  return {
      .name = "abs",
      .covers = {"abs_backward"},
      .samples = unary_samples(abs, [](double x) { return std::abs(x); }),
      .errors =
          {
              {"bool", [] { abs(zeros({2}, Dtype::boolean)); }, "TypeError", {"abs", "bool[2]"}},
              {"no tensor", [] { abs(Tensor()); }, "ValueError", {"abs", "undefined"}},
          },
      .dtypes = kNumberTypes,
      .benchmarks = unary_benchmarks(abs),
  };
}

}  // namespace espalier::test
