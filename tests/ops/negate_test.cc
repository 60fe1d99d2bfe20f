#include "ops/negate.h"

#include "tests/ops/elementwise_samples.h"
#include "tests/support/op_test.h"

namespace espalier::test {

OpTest negate_test() {
  return {
      .name = "negate",
      .samples = unary_samples(
          negate, [](double x) { return -x; }, -2, 1),
      .errors =
          {
              {"bool", [] { negate(zeros({2}, Dtype::boolean)); }, "TypeError", {"negate", "bool[2]"}},
              {"no tensor", [] { negate(Tensor()); }, "ValueError", {"negate", "undefined"}},
          },
      .dtypes = kNumberTypes,
      .benchmarks = unary_benchmarks(negate),
  };
}

}  // namespace espalier::test
