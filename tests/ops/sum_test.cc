#include "ops/sum.h"

#include <gtest/gtest.h>

#include "core/parallel.h"
#include "ops/reshape.h"
#include "tests/ops/reduction_samples.h"
#include "tests/support/op_test.h"

namespace espalier::test {

OpTest sum_test() {
  const auto run = [](const Tensor& input, const Dims& axes, bool keepdim) {
    return sum(input, axes, keepdim);
  };
  return {
      .name = "sum",
      .samples = reduction_samples(run, total, true),
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
      // Up to 68 roundings of partial sums, which are larger than the whole where signs cancel.
      .tolerance = 68,
      .benchmarks = reduction_benchmarks(run),
  };
}

namespace {

std::vector<float> sums_of(const Kernel& kernel, const Tensor& input, const Dims& axes) {
  const Sum op(axes, false);
  OutputSpecs specs;
  op.infer(Inputs(&input, 1), specs);
  Tensor output = empty(specs[0].shape, Dtype::f32);
  run_kernel(kernel, op, Inputs(&input, 1), Outputs(&output, 1));
  return output.to_vector<float>();
}

TEST(Sum, KernelsAgreeWithTheReference) {
  const auto kernels = Sum::slot.kernels(DeviceType::cpu);
  for (const OpSample& sample : sum_test().samples) {
    const Tensor input = make_inputs(sample, Dtype::f32)[0];
    for (const Dims& axes : {Dims{}, Dims{0}, Dims{-1}}) {
      if (input.rank() == 0 && !axes.empty()) continue;
      const std::vector<float> expected = sums_of(kernels.back(), input, axes);
      for (const Kernel& kernel : kernels) {
        const std::vector<float> found = sums_of(kernel, input, axes);
        ASSERT_EQ(found.size(), expected.size());
        for (size_t i = 0; i < found.size(); ++i) {
          EXPECT_NEAR(found[i], expected[i], 1e-4) << kernel.name << ", " << sample.label;
        }
      }
    }
  }
}

TEST(Sum, GivesTheSameBitsForAnyNumberOfThreads) {
  for (const OpSample& sample : reduction_benchmarks(
           [](const Tensor& x, const Dims& axes, bool keepdim) { return sum(x, axes, keepdim); })) {
    const std::vector<Tensor> inputs = make_inputs(sample, Dtype::f32);
    std::vector<float> first;
    for (int threads : {1, 2, 5}) {
      const ThreadCountGuard guard(threads);
      const std::vector<float> sums = sample.run(inputs)[0].to_vector<float>();
      if (first.empty()) first = sums;
      EXPECT_EQ(sums, first) << sample.label << ", " << threads << " threads";
    }
  }
}

TEST(Sum, RoundsLittleHoweverLong) {
  constexpr int64_t kN = 3'000'000;
  const Tensor x = full({kN}, 0.1);
  const double exact = kN * static_cast<double>(0.1F);
  EXPECT_NEAR(sum(x).item(), exact, 70 * 0x1p-24 * exact);
  EXPECT_NEAR(sum(reshape(x, {kN / 4, 4}), {0}).to_vector<float>()[3], exact / 4, 70 * 0x1p-24 * exact / 4);
}

}  // namespace
}  // namespace espalier::test
