#include "ops/any.h"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "tests/ops/reduction_samples.h"
#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

using Run = Tensor (*)(const Tensor&, const Dims&, bool);

OpTest nonzero_test(const std::string& name, Run run,
                    const std::function<double(const std::vector<double>&)>& fold) {
  std::vector<OpSample> samples = reduction_samples(run, fold, true);
  for (OpSample& sample : samples) {
    // Rare zeros and rare others, in every type: most elements round to 0 as integers.
    sample.inputs[0].low = 0;
    sample.inputs[0].high = 1.05;
    sample.inputs[0].differentiable = false;
  }
  return {
      .name = name,
      .samples = samples,
      .errors =
          {
              {"an axis that is not there",
               [=] { run(zeros({2, 3}), {2}, false); },
               "ShapeError",
               {name, "axis 2"}},
              {"no tensor", [=] { run(Tensor(), {}, false); }, "ValueError", {name, "undefined"}},
          },
      .dtypes = kAllTypes,
      .tolerance = 0,
      .differentiable = false,
      .twice_differentiable = false,
      .benchmarks = reduction_benchmarks(run),
  };
}

double nonzeros(const std::vector<double>& x) {
  return static_cast<double>(std::count_if(x.begin(), x.end(), [](double value) { return value != 0; }));
}

}  // namespace

OpTest any_test() {
  return nonzero_test("any", any, [](const std::vector<double>& x) { return nonzeros(x) > 0 ? 1.0 : 0.0; });
}

OpTest all_test() {
  return nonzero_test("all", all, [](const std::vector<double>& x) {
    return nonzeros(x) == static_cast<double>(x.size()) ? 1.0 : 0.0;
  });
}

OpTest count_nonzero_test() {
  return nonzero_test("count_nonzero", count_nonzero, nonzeros);
}

namespace {

TEST(Any, FindsOneAmongMany) {
  for (const int64_t place : {0, 4095, 4096, 70000, 99999}) {
    Tensor one = zeros({100000}), none = ones({100000});
    EXPECT_EQ(any(one).item(), 0);
    EXPECT_EQ(all(none).item(), 1);
    one.mutable_data<float>()[place] = 1e-45F;
    none.mutable_data<float>()[place] = -0.0F;
    EXPECT_EQ(any(one).item(), 1);
    EXPECT_EQ(all(none).item(), 0);
    EXPECT_EQ(count_nonzero(one).item(), 1);
    EXPECT_EQ(count_nonzero(none).item(), 99999);
  }
}

TEST(Any, CountsNanAndLargeIntegers) {
  EXPECT_EQ(any(full({3}, NAN)).item(), 1);
  EXPECT_EQ(all(full({3}, NAN)).item(), 1);
  EXPECT_EQ(count_nonzero(from_values<int64_t>({int64_t{1} << 32, 0, -1}, {3})).item(), 2);
}

}  // namespace
}  // namespace espalier::test
