#include "ops/sum.h"

#include <numeric>

#include "tests/ops/op_tests.h"
#include "tests/ops/reduction_samples.h"

namespace espalier::test {

OpTest sum_test() {
  const auto run = [](const Tensor& input, const Dims& axes, bool keepdim) {
    return sum(input, axes, keepdim);
  };
  return {
      .name = "sum",
      .samples = reduction_samples(
          run, [](const std::vector<double>& x) { return std::accumulate(x.begin(), x.end(), 0.0); }, true),
      .errors =
          {
              {"an axis that is not there",
               [] { sum(zeros({2, 3}), {2}); },
               "ShapeError",
               {"sum", "axis 2", "-2 to 1"}},
              {"an axis named twice",
               [] { sum(zeros({2, 3}), {1, -1}); },
               "ShapeError",
               {"sum", "axis -1", "[1, -1]"}},
              {"no tensor", [] { sum(Tensor()); }, "ValueError", {"sum", "input 0", "undefined"}},
          },
      .dtypes = kAllTypes,
      .benchmarks = reduction_benchmarks(run),
  };
}

}  // namespace espalier::test
