#include "ops/mean.h"

#include "tests/ops/reduction_samples.h"
#include "tests/support/op_test.h"

namespace espalier::test {

OpTest mean_test() {
  const auto run = [](const Tensor& input, const Dims& axes, bool keepdim) {
    return mean(input, axes, keepdim);
  };
  const auto fold = [](const std::vector<double>& x) { return total(x) / static_cast<double>(x.size()); };
  return {
      .name = "mean",
      .samples = reduction_samples(run, fold, true),
      .errors =
          {
              {"an axis that is not there", [] { mean(zeros({2, 3}), {-3}); }, "ShapeError", {"mean", "-3"}},
              {"integers", [] { mean(zeros({2}, Dtype::i64)); }, "TypeError", {"mean", "i64[2]", "cast"}},
              {"no tensor", [] { mean(Tensor()); }, "ValueError", {"mean", "undefined"}},
          },
      .dtypes = kAllFloatingTypes,
      .benchmarks = reduction_benchmarks(run),
  };
}

}  // namespace espalier::test
